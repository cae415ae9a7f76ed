/** The looks of lines: one colour a method, and no two lines of a panel alike. */
import { expect, test } from "vitest";
import { appearancesOf, distinctLooks, GREY } from "../../../../stages/shared/runs/looks.ts";

const code = (loss: string, bits: number) => ({
  label: `${loss} ${bits}`,
  point: { loss, bits },
  recipe: {},
});

test("codes of one method at several lengths have one colour, and lines that differ", () => {
  const runs = [code("dtsh", 16), code("dtsh", 48), code("csq", 16), code("csq", 48)];
  const groups = appearancesOf(runs);
  const looks = distinctLooks(["dtsh 48", "csq 48", "dtsh 16", "csq 16", "unknown"], groups);
  expect(looks.get("dtsh 16")!.colour).toBe(looks.get("dtsh 48")!.colour);
  expect(looks.get("dtsh 48")).toEqual({ colour: groups["dtsh 48"].colour, round: groups["dtsh 48"].round });
  expect(new Set([...looks.values()].map((look) => JSON.stringify(look))).size).toBe(5);
  expect(looks.get("unknown")).toEqual(GREY);
});
