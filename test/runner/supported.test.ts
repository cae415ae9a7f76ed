/** A machine that cannot run DeepHash gets one line that says what to do. */
import { spawnSync } from "node:child_process";
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

test("macOS is not", () => {
  expect(startOn("darwin")).toMatchObject({ status: 0, stderr: "" });
});
