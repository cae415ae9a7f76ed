/**
 * lists: the roles that the data set publishes. Its test images query, and search the images listed for that; where none
 * are, the training images. Validation images are taken from the training images where none are published, at random:
 * images may have several labels.
 */
import { UserError } from "../../../runner/stage.ts";
import { defineProtocol, noRoles } from "../protocol.ts";

export default defineProtocol({
  several: true,
  searched: true,
  draw({ labels, test, validation: published, searched, onlySearched }, validation, random) {
    const roles = noRoles(labels.length);
    const rows = [...labels.keys()];
    const trains = rows.filter((row) => !test[row] && !published?.[row] && !onlySearched?.[row]);
    if (!published) {
      if (validation >= trains.length)
        throw new UserError(
          `split: ${trains.length} images train, but ${validation} of them are wanted for validation and some must be left. Take fewer.`,
        );
      random.shuffle(trains);
    }
    const held = published ? rows.filter((row) => published[row]) : trains.slice(0, validation);
    for (const row of held) roles.validation[row] = 1;
    for (const row of published ? trains : trains.slice(validation)) roles.train[row] = 1;
    for (const row of rows)
      roles.database[row] = searched ? searched[row] : roles.train[row] || roles.validation[row];
    roles.query.set(test);
    return roles;
  },
});
