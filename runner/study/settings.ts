/** The vars of a profile, and what `--set` puts in the place of a var or of a stage's param. */

import { UserError } from "../stage.ts";
import { dotted, isMap, keyFault, oneLine, own } from "../text/index.ts";

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
    throw new UserError(oneLine(`--set ${dotted(path)}: ${message}`));
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

/** @throws UserError that names the `--set` of a var */
export function refuseVar(name: string, message: string): never {
  throw new UserError(oneLine(`--set vars.${name}: ${message}`));
}
