export { wordErrors } from "./errors.ts";
export { refuseEmptyPaths } from "./paths.ts";
export { valueBy, wholeFrom } from "./values.ts";
