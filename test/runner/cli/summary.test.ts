import fc from "fast-check";
import { expect, test } from "vitest";
import { countsOf } from "../../../runner/cli/summary.ts";
import type { Plan } from "../../../runner/plan/plan.ts";

test("each instance that is up to date counts once, however often it ran or was fetched", () => {
  const kinds = ["hit", "done", "miss", "waits", "running", "failed", "skipped"];
  const instance = fc.record({
    kind: fc.constantFrom(...kinds),
    ran: fc.boolean(),
    fetched: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(instance), (instances) => {
      const states = new Map(instances.map(({ kind }, index) => [String(index), { kind }]));
      const those = (which: "ran" | "fetched") =>
        new Set(instances.flatMap((one, index) => (one[which] ? [String(index)] : [])));
      const { ran, hits, fetched } = countsOf({ states } as unknown as Plan, those("ran"), those("fetched"));
      const upToDate = instances.filter(({ kind }) => kind === "hit" || kind === "done");
      expect(ran + hits + fetched).toBe(upToDate.length);
      expect(ran).toBe(upToDate.filter((one) => one.ran).length);
      expect(hits).toBe(upToDate.filter((one) => !one.ran && !one.fetched).length);
    }),
  );
});
