export { wordErrors } from "./errors.ts";
export { valueBy, wholeFrom } from "./values.ts";
