/** The table of contents finds one of many identical rows without a look at the others. */
import { expect, test } from "vitest";
import { Contents } from "../../search/contents.ts";

const WIDTH = 16;

test("one of many identical rows takes as many reads as it has bytes", () => {
  const rows = 3000;
  const content = Uint8Array.from({ length: WIDTH }, (_, at) => at + 1);
  const other = content.with(WIDTH - 1, 0); // of the same first bytes
  const values = new Uint8Array(rows * WIDTH);
  for (let row = 0; row < rows; row++) values.set(row === 7 ? other : content, row * WIDTH);
  let reads = 0;
  const counted = new Proxy(values, {
    get(target, name) {
      reads++;
      return Reflect.get(target, name, target);
    },
  });
  const contents = new Contents(counted, WIDTH);
  reads = 0;
  expect(contents.row(content)).toBe(rows - 1);
  expect(contents.row(content, 3)).toBe(3);
  expect(contents.row(content, 7)).toBe(rows - 1);
  expect(reads).toBeLessThan(5 * WIDTH);
  expect(contents.row(other, 3)).toBe(7);
  expect(contents.row(new Uint8Array(WIDTH))).toBeUndefined();
  expect(contents.rows(content).size).toBe(rows - 1);
});
