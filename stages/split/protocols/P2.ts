/**
 * P2: setting 2 of DPSH and DTSH. 10,000 queries of all images; the others are searched and train. The papers
 * train on all of these; here the validation images are taken from the training images.
 */
import { defineProtocol, drawByClass, noRoles } from "../protocol.ts";

export default defineProtocol({
  several: true,
  params: {
    queries: {
      type: "integer",
      minimum: 1,
      default: 10_000,
      description: "queries in all, the same number of each class",
    },
  },
  draw(images, validation, random, params) {
    const roles = noRoles(images.labels.length);
    const queries = drawByClass(images, () => true, params.queries, random, "query");
    for (const row of queries.drawn) roles.query[row] = 1;
    const { drawn, left } = drawByClass(images, (row) => !roles.query[row], validation, random, "validation");
    for (const row of drawn) roles.validation[row] = roles.database[row] = 1;
    for (const row of left) roles.train[row] = roles.database[row] = 1;
    return roles;
  },
});
