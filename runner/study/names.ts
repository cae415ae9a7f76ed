/** The names that a study binds: where each gets its value, and whether anything takes it. */
import { isMap, type Path, suggest } from "../text/index.ts";
import type { MatrixSpec, StageSpec, StudySpec } from "./study-file.ts";

/** Words with a meaning of their own in `$name` or `${name.…}`. */
const RESERVED: Record<string, string> = {
  profile: "the name of the profile",
  in: "a command's inputs",
  out: "a command's outputs",
  with: "a command's params",
  env: "a variable of the environment",
  vars: "nothing any more: a var is written $NAME",
  matrix: "nothing any more: an axis is written $AXIS",
};

/** Why a word cannot be the name of a var or an axis; "" when it can. */
export const reservedFault = (name: string): string =>
  Object.hasOwn(RESERVED, name) ? `"${name}" is bound already, to ${RESERVED[name]}. Take another name.` : "";

/** The spelling of today for one of before; "" for all others. */
export function todaysSpelling(expression: string): string {
  const [, head, name, rest = ""] = /^(vars|matrix)\.([\w-]+)((?:\.[\w-]+)*\??)$/.exec(expression) ?? [];
  if (name === undefined) return "";
  const below = rest.replace("?", "");
  if (head === "matrix" && below)
    return ` Write $${below.slice(1)}${rest.endsWith("?") ? "?" : ""}, and what each word of the axis sets in axes: { ${name}: { WORD: { ${below.slice(1)}: VALUE } } }.`;
  return ` Write $${name}${rest} for a whole value, \${${name}${rest}} within a text.`;
}

/** Words of a matrix that are no axis. */
export const MATRIX_WORDS = ["include", "exclude", "points", "without", "set"];

/** The maps of a matrix, with their places below it. */
export const sheetsOf = (matrix: MatrixSpec | undefined): [Path, Record<string, unknown>][] =>
  Array.isArray(matrix)
    ? matrix.map((one, index): [Path, Record<string, unknown>] => [[index], one])
    : isMap(matrix)
      ? [[[], matrix]]
      : [];

interface Bound {
  name: string;
  path: Path;
}

const named = (path: Path, map: unknown): Bound[] =>
  Object.keys(isMap(map) ? map : {}).map((name) => ({ name, path: [...path, name] }));

/** Names with a value that must be taken somewhere: vars, what a matrix sets, what the word of an axis sets. */
function boundNames({ vars, stages, axes }: StudySpec): Bound[] {
  const ofStage = ([stage, { vars, matrix }]: [string, StageSpec]): Bound[] => [
    ...named(["stages", stage, "vars"], vars),
    ...sheetsOf(matrix).flatMap(([at, sheet]) => named(["stages", stage, "matrix", ...at, "set"], sheet.set)),
  ];
  const ofAxis = ([axis, words]: [string, Record<string, unknown>]): Bound[] =>
    Object.entries(words).flatMap(([word, map]) => named(["axes", axis, word], map));
  return [
    ...named(["vars"], vars),
    ...Object.entries(stages).flatMap(ofStage),
    ...Object.entries(axes).flatMap(ofAxis),
  ];
}

/** The axes of all matrices, with their places. */
function axesOf({ stages }: StudySpec): Bound[] {
  return Object.entries(stages).flatMap(([stage, { matrix }]) =>
    sheetsOf(matrix).flatMap(([at, sheet]) => {
      const path = ["stages", stage, "matrix", ...at];
      const included = Array.isArray(sheet.include) ? sheet.include : [];
      return [
        ...named(path, sheet).filter(({ name }) => !MATRIX_WORDS.includes(name)),
        ...included.flatMap((one, index) => named([...path, "include", index], one)),
      ];
    }),
  );
}

/** All names that have a value somewhere in the study: `$name?` may be absent of these alone. */
export const namesOf = (study: StudySpec): Set<string> =>
  new Set([...boundNames(study), ...axesOf(study)].map(({ name }) => name));

/** Whether a file gives a value as it is: a `$name` may differ from study to study. */
export const isLiteral = (raw: unknown): boolean => raw !== undefined && !JSON.stringify(raw).includes("$");

/** An entry of `axes` that no matrix has is a word mistyped: what it sets would be left out in silence. */
function checkWords(study: StudySpec): void {
  const axes = axesOf(study);
  const named = new Set(axes.map(({ name }) => name));
  // A matrix that is a `$name` as a whole may have any axis.
  const hidden = Object.values(study.stages).some(
    ({ matrix }) => typeof matrix === "string" && matrix.startsWith("$"),
  );
  for (const [axis, words] of Object.entries(study.axes)) {
    if (hidden) continue;
    if (!named.has(axis))
      study.refuse(["axes", axis], `no matrix has the axis "${axis}".${suggest(axis, [...named])}`);
    const sheets = Object.values(study.stages).flatMap(({ matrix }) =>
      sheetsOf(matrix).map(([, one]) => one),
    );
    const values = sheets.flatMap((sheet) => [
      sheet[axis] ?? [],
      ...(Array.isArray(sheet.include)
        ? sheet.include.map((one) => (isMap(one) ? (one[axis] ?? []) : []))
        : []),
    ]);
    if (!values.every(isLiteral)) continue;
    const all = values.flat().map(String);
    for (const word of Object.keys(words))
      if (!all.includes(word))
        study.refuse(
          ["axes", axis, word],
          `no matrix has ${axis}=${word}.${suggest(word, all) || ` There are ${[...new Set(all)].slice(0, 10).join(", ")}.`}`,
        );
  }
}

/** Defaults of a kind that no stage uses are a word mistyped. */
function checkDefaults(study: StudySpec): void {
  const steps = Object.values(study.chains).flatMap((chain) => Object.values(chain));
  const kinds = [...Object.values(study.stages), ...steps].flatMap(({ uses }) => uses ?? []);
  for (const kind of Object.keys(study.defaults))
    if (!kinds.includes(kind))
      study.refuse(["defaults", kind], `no stage uses "${kind}".${suggest(kind, kinds)}`);
}

/** @throws UserError at the place of a name that is bound twice, or that nothing takes */
export function checkNames(study: StudySpec): void {
  const bound = boundNames(study);
  for (const { name, path } of [...bound, ...axesOf(study)]) {
    const fault = reservedFault(name);
    if (fault) study.refuse(path, fault);
  }
  const used = new Set(
    study.texts.flatMap((text) => [...text.matchAll(/\$\{?\s*([\w-]+)/g)].map(([, name]) => name)),
  );
  const old = new Set(
    study.texts.flatMap((text) =>
      [...text.matchAll(/\$\{\s*(?:vars|matrix)\.([\w-]+)/g)].map(([, name]) => name),
    ),
  );
  for (const { name, path } of bound)
    if (!used.has(name) && !old.has(name))
      study.refuse(path, `nothing takes $${name}.${suggest(name, [...used])}`);
  checkWords(study);
  checkDefaults(study);
}
