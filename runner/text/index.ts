export { colors } from "./colors.ts";
export { columns, effectCells, markdownTable, SIGNIFICANT } from "./columns.ts";
export { diskFault, isDiskFault } from "./disk-errors.ts";
export { refuseTaken, takenByNpm } from "./npm-options.ts";
export {
  brief,
  dotted,
  listed,
  nameFault,
  oneLine,
  plain,
  redacted,
  shortened,
  withoutSecrets,
} from "./one-line.ts";
export { age, bytesOf, counted, duration, secondsOf, size, wholeNumber } from "./quantities.ts";
export { commandWord, shellWord } from "./quote.ts";
export { explain, nearest, suggest } from "./schema-errors.ts";
export { guardOutput, harmless, unbreakable } from "./terminal.ts";
export { thrown } from "./thrown.ts";
export { after } from "./timers.ts";
export {
  copied,
  dig,
  doubleKey,
  isMap,
  itemAt,
  keyFault,
  own,
  type Path,
  plainValue,
  YAML_OPTIONS,
  yamlValue,
} from "./values.ts";
