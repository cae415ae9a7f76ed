/** `npm run pipeline --force`: npm takes the option for itself, and says nothing. */
import { describe, expect, test } from "vitest";
import { refuseTaken } from "../../../runner/text/npm-options.ts";

const OPTIONS = ["--force", "--profile", "--only", "--jobs", "--cache", "--keep-going", "--debug"];
const check = (env: NodeJS.ProcessEnv, line = "", args: string[] = []) =>
  refuseTaken("pipeline", OPTIONS, args, { npm_lifecycle_event: "pipeline", ...env }, line);

describe("an option that npm took", () => {
  test.each([
    [{ npm_config_force: "true" }, [], "npm took --force for itself.", "-- --force"],
    [{ npm_config_profile: "true" }, ["cifar10"], "npm took --profile", "-- --profile cifar10"],
    [{ npm_config_profile: "cifar10" }, [], "npm took --profile", "-- --profile=cifar10"],
    [{ npm_config_keep_going: "true" }, ["why"], "npm took --keep-going", "-- --keep-going why"],
  ])("is told by its variable, with the line to write: %o", (env, args, what, write) => {
    expect(() => check(env, "", args)).toThrow(what);
    expect(() => check(env, "", args)).toThrow(new RegExp(`npm run pipeline ${write}$`));
  });
  test("is told by npm's command line where no variable tells it", () => {
    expect(() => check({}, "npm run pipeline --only train")).toThrow(/npm took --only for itself/);
    expect(() => check({}, "npm run pipeline --jobs=4")).toThrow(/npm took --jobs/);
  });
});

describe("nothing is refused", () => {
  test("after --", () => {
    expect(() => check({}, "npm run pipeline -- --only train --force")).not.toThrow();
    expect(() => check({}, "npm run pipeline --")).not.toThrow();
  });
  test("where an npmrc sets an option that npm or node-gyp knows too", () => {
    expect(() =>
      check({ npm_config_cache: "/x", npm_config_jobs: "max", npm_config_debug: "1" }),
    ).not.toThrow();
  });
  test("of another script, and without npm", () => {
    expect(() => check({ npm_config_force: "true", npm_lifecycle_event: "test" })).not.toThrow();
    expect(() => check({ npm_config_force: "true", npm_lifecycle_event: undefined })).not.toThrow();
  });
});
