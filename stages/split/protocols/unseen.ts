/**
 * unseen: the test images of held-out classes query the training images of these classes; the other classes
 * train and validate, so that the embedding is asked about classes it never saw.
 */
import { UserError } from "../../../runner/stage.ts";
import { defineProtocol, drawByClass, noRoles } from "../protocol.ts";

export default defineProtocol({
  params: {
    held_out: {
      type: "array",
      items: { type: "string" },
      minItems: 1,
      default: ["ship", "truck"],
      description: "names of the classes that do not train",
    },
  },
  draw(images, validation, random, params) {
    const held = params.held_out.map((name) => {
      const label = images.classes.indexOf(name);
      if (label < 0)
        throw new UserError(`split: no class "${name}". There are ${images.classes.join(", ")}.`);
      return label;
    });
    const roles = noRoles(images.labels.length);
    const out = (row: number) => held.includes(images.labels[row]);
    const eligible = (row: number) => !out(row) && !images.test[row];
    const { drawn, left } = drawByClass(images, eligible, validation, random, "validation");
    for (const row of drawn) roles.validation[row] = 1;
    for (const row of left) roles.train[row] = 1;
    for (let row = 0; row < images.labels.length; row++)
      if (out(row)) roles[images.test[row] ? "query" : "database"][row] = 1;
    return roles;
  },
});
