/** Where a person stood when they typed a command: the paths they gave begin there. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * npm changes to the project's folder and tells of the other one in INIT_CWD. Only then: a script of npm that starts
 * this tool in a third folder hands on the same variables.
 */
export function standing(cwd = process.cwd(), env: NodeJS.ProcessEnv = process.env): string {
  const { INIT_CWD: given, npm_package_json: manifest } = env;
  return given !== undefined && (manifest === undefined || dirname(manifest) === cwd) ? given : cwd;
}

/** A path that a person gave. */
export const given = (path: string, from = standing()): string => resolve(from, path);

/** As {@link given}, of something that is there: else as below the project's folder, as this tool itself names it. */
export function givenSource(path: string, root = process.cwd(), from = standing(root)): string {
  const [near, own] = [resolve(from, path), resolve(root, path)];
  return !existsSync(near) && existsSync(own) ? own : near;
}
