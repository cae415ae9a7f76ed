/** official: the published test images query the published training images; validation is taken from these. */
import { drawByClass, noRoles, type Protocol } from "../protocol.ts";

export default {
  draw(images, validation, random) {
    const roles = noRoles(images.labels.length);
    const { drawn, left } = drawByClass(images, (row) => !images.test[row], validation, random, "validation");
    for (const row of drawn) roles.validation[row] = roles.database[row] = 1;
    for (const row of left) roles.train[row] = roles.database[row] = 1;
    roles.query.set(images.test);
    return roles;
  },
} satisfies Protocol;
