/** A machine that cannot run DeepHash gets one line with the next step. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

/** Starts the runner where Node says that it is on another platform. */
function startOn(platform: string) {
  const fake = `data:text/javascript,Object.defineProperty(process,"platform",{value:"${platform}"})`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", fake, "runner/main.mjs", "status"],
    { encoding: "utf8" },
  );
  return { status, stdout, stderr };
}

test("Windows is refused in one line that names the next step", () => {
  const { status, stdout, stderr } = startOn("win32");
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^DeepHash does not run on Windows.*Use WSL.*\n$/);
});

test("macOS is not, and neither is the oldest supported Node", async () => {
  const { unsupported } = await import(`${resolve("runner/supported.mjs")}`);
  expect(unsupported("darwin", "20.19.0")).toBeUndefined();
  expect(unsupported("linux", "20.18.9")).toMatch(/^Node 20\.18\.9 is too old/);
});
