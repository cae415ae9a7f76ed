/** The vars of a profile, and what `--set` puts in the place of a var or of a stage's param. */

import { UserError } from "../stage.ts";
import { dig, isMap, keyFault, oneLine, own, suggest } from "../text/index.ts";
import { interpolate, nothingCalled } from "./interpolate.ts";
import type { Pipeline } from "./load.ts";

/** One `--set stage.param=value` or `--set vars.name=value`. */
export interface Setting {
  path: string[];
  value: unknown;
}

/** A setting as it is written on the command line. */
export const settingText = ({ path, value }: Setting): string => `${path.join(".")}=${JSON.stringify(value)}`;

/**
 * Puts the value of a setting into a map, and makes maps on the way; the name of a part becomes `{ use: name }`.
 * @param skip so many words of the setting's path come before those below the map
 * @throws UserError where a word of the path names a list, or cannot be a name
 */
export function put(target: Record<string, unknown>, { path, value }: Setting, skip: number): void {
  const refuse = (message: string): never => {
    throw new UserError(oneLine(`--set ${path.join(".")}: ${message}`));
  };
  for (const key of path) if (keyFault(key)) refuse(keyFault(key));
  let at = target;
  for (const [index, key] of path.entries()) {
    if (index < skip || index === path.length - 1) continue;
    const inner = own(at, key);
    const way = path.slice(0, index + 1).join(".");
    if (Array.isArray(inner))
      refuse(`${way} is a list. Set all of it, as --set ${way}=${JSON.stringify(inner)}.`);
    if (typeof inner === "string") at[key] = { use: inner };
    else if (!isMap(inner)) at[key] = {};
    at = at[key] as Record<string, unknown>;
  }
  at[path.at(-1)!] = value;
}

/** Vars that name vars that name vars: deeper is a mistake, and would take all of the stack. */
const DEEPEST = 100;

/** All values of the vars, where one may name another. @throws UserError at unknown names and circles */
export function resolveVars(
  pipeline: Pipeline,
  profile: string,
  settings: Setting[],
): Record<string, unknown> {
  const raw: Record<string, unknown> = structuredClone({
    ...pipeline.vars,
    ...pipeline.profiles[profile].vars,
  });
  const known = (name: string) => Object.hasOwn(raw, name);
  for (const setting of settings.filter(({ path }) => path[0] === "vars")) {
    const [, name] = setting.path;
    if (!known(name))
      throw new UserError(`--set vars.${name}: no such var.${suggest(name, Object.keys(raw))}`);
    put(raw, setting, 1);
  }
  const done = new Map<string, unknown>();
  const open: string[] = [];
  const where = (name: string) => pipeline.source.locate(["profiles", profile, "vars", name], ["vars", name]);
  const resolve = (name: string): unknown => {
    if (done.has(name)) return done.get(name);
    if (open.includes(name))
      throw new UserError(`${where(name)} vars form a circle: ${[...open, name].join(" → ")}.`);
    if (open.length > DEEPEST)
      throw new UserError(
        `${where(name)} vars.${name}: vars name one another more than ${DEEPEST} levels deep.`,
      );
    open.push(name);
    const value = interpolate(raw[name], lookup, (expression, why) => {
      const names = ["profile", ...Object.keys(raw).map((key) => `vars.${key}`)];
      const hint = why === nothingCalled(expression) ? suggest(expression, names) : "";
      throw new UserError(oneLine(`${where(name)} vars.${name}: ${why}${hint}`));
    });
    open.pop();
    done.set(name, value);
    return value;
  };
  const lookup = (expression: string): unknown => {
    if (expression === "profile") return profile;
    const [head, name, ...below] = expression.split(".");
    return head === "vars" && name !== undefined && known(name) ? dig(resolve(name), below) : undefined;
  };
  for (const name of Object.keys(raw)) resolve(name);
  return Object.fromEntries(done);
}
