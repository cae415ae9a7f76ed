/**
 * official: the published test images query the published training images; validation is taken from
 * these, where no validation images are published.
 */
import { defineProtocol, drawByClass, noRoles } from "../protocol.ts";

export default defineProtocol({
  several: true,
  draw(images, validation, random) {
    const { labels, test, validation: published } = images;
    const roles = noRoles(labels.length);
    const trains = (row: number) => !test[row] && !published?.[row];
    const rows = (wanted: (row: number) => unknown) => [...labels.keys()].filter(wanted);
    const { drawn, left } = published
      ? { drawn: rows((row) => published[row]), left: rows(trains) }
      : drawByClass(images, trains, validation, random, "validation");
    for (const row of drawn) roles.validation[row] = roles.database[row] = 1;
    for (const row of left) roles.train[row] = roles.database[row] = 1;
    roles.query.set(images.test);
    return roles;
  },
});
