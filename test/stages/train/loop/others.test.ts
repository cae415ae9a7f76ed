import { expect, test } from "vitest";
import { watchOthers } from "../../../../stages/train/loop/others.ts";

/** Watches while the machine's cores and this process work so many seconds. */
async function watched(busy: number, idle: number, own: number) {
  let at = 0;
  const others = watchOthers(
    () => ({ busy: at * busy, idle: at * idle }),
    () => ({ user: at * own * 1e6, system: 0 }),
    2,
  );
  at = 1;
  await new Promise((done) => setTimeout(done, 50));
  return others();
}

test("work of others is what the cores did beyond this process", async () => {
  const { cores, others_busy } = await watched(1.05, 0.1, 0.05);
  expect(cores).toBe(2);
  expect(others_busy).toBeGreaterThan(1); // a second of work in somewhat more than 50 ms
  expect((await watched(0.05, 0.05, 0.05)).others_busy).toBe(0);
  expect((await watched(0.04, 0.05, 0.05)).others_busy).toBe(0);
});

test("a machine that tells nothing of its cores is not called idle", async () => {
  expect((await watched(0, 0, 0.05)).others_busy).toBeNull();
});
