/** Lines of a long piece of work, on a terminal and elsewhere. */
import { expect, test } from "vitest";
import { Progress } from "../../search/progress.ts";

function told(isTTY: boolean): string[] {
  const lines: string[] = [];
  let now = 0;
  const progress = new Progress(1000, "images", { isTTY, write: (line) => lines.push(line) }, () => now);
  for (let done = 0; done < 1000; done += 20) {
    now += 500;
    progress.advance(20);
  }
  progress.end();
  return lines;
}

test("off a terminal, a plain line every ten seconds, with rate and time left", () => {
  expect(told(false)).toEqual([
    "400 of 1000 images, 40 a second, 15 s left\n",
    "800 of 1000 images, 40 a second, 5.0 s left\n",
  ]);
});

test("on a terminal, one line that is emptied at the end", () => {
  const lines = told(true);
  expect(lines).toHaveLength(51);
  expect(lines[0]).toBe("\r\u001b[K20 of 1000 images");
  expect(lines[49]).toBe("\r\u001b[K1000 of 1000 images, 40 a second, 0.0 s left");
  expect(lines[50]).toBe("\r\u001b[K");
});
