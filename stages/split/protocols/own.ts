/**
 * own: for images without published test images. Queries are drawn from every class; the others are searched, and all
 * of them train but for the validation images. Roles are those of P2; its name stays with the counts of the papers.
 * Classes may differ in size: of each at most `share` query, and as many validate.
 */
import { UserError } from "../../../runner/stage.ts";
import { defineProtocol, drawFromEach, noRoles } from "../protocol.ts";
import { sharesOf } from "../shares.ts";

export default defineProtocol({
  several: true,
  params: {
    queries: { type: "integer", minimum: 1, default: 10, description: "queries of each class, at most" },
    share: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 0.4,
      default: 0.2,
      description:
        "of a class, the share that queries at most, and that validates at most; a class too small for one of each, and a pair to train on, is searched, and trains where it has a pair",
    },
  },
  draw(images, validation, random, params, warn) {
    const { labels, classes, validation: published } = images;
    const roles = noRoles(labels.length);
    const sizes = classes.map(() => 0);
    for (const [row, label] of labels.entries()) if (!published?.[row]) sizes[label]++;
    const present = sizes.filter((size) => size > 0).length;
    const counts = sharesOf(sizes, {
      queries: params.queries,
      validation: published ? 0 : validation / present,
      share: params.share,
    });
    const small = classes.filter((_, label) => sizes[label] > 0 && counts[label].query === 0);
    if (small.length === present)
      throw new UserError("split: every class is too small to query, validate and train. Add images.");
    if (small.length)
      warn(
        `${small.length} of ${present} classes are too small to query and validate; they are searched: ${small.join(", ")}.`,
      );
    const queries = drawFromEach(
      images,
      (row) => !published?.[row],
      (label) => counts[label].query,
      random,
    );
    for (const row of queries.drawn) roles.query[row] = 1;
    const { drawn, left } = drawFromEach(
      images,
      (row) => !roles.query[row] && !published?.[row],
      (label) => counts[label].validation,
      random,
    );
    for (const row of drawn) roles.validation[row] = roles.database[row] = 1;
    for (const row of left) {
      roles.database[row] = 1;
      if (counts[labels[row]].train > 1) roles.train[row] = 1; // one image alone makes no pair
    }
    if (published)
      for (const [row, flag] of published.entries())
        if (flag) roles.validation[row] = roles.database[row] = 1;
    return roles;
  },
});
