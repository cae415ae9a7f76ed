/**
 * own: for images without published test images. Queries are drawn from every class; the others are searched, and all
 * of them train but for the validation images. Roles are those of P2; its name stays with the counts of the papers.
 */
import { drawByClass, noRoles, type Protocol } from "../protocol.ts";

export default {
  params: {
    queries: { type: "integer", minimum: 1, default: 10, description: "queries of each class" },
  },
  draw(images, validation, random, params) {
    const roles = noRoles(images.labels.length);
    const count = (params.queries as number) * new Set(images.labels).size;
    const queries = drawByClass(images, () => true, count, random, "query");
    for (const row of queries.drawn) roles.query[row] = 1;
    const { drawn, left } = drawByClass(images, (row) => !roles.query[row], validation, random, "validation");
    for (const row of drawn) roles.validation[row] = roles.database[row] = 1;
    for (const row of left) roles.train[row] = roles.database[row] = 1;
    return roles;
  },
} satisfies Protocol;
