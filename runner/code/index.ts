export { browserScript } from "./browser.ts";
export { type Code, CodeBook, canonical, type KeyParts, keyOf, keyOfRecord } from "./bundle.ts";
export {
  type EnvValue,
  filledEnvironment,
  jobEnvironment,
  namesPassedOn,
  passedOn,
  stageEnvironment,
} from "./environment.ts";
export { type CodeFacts, outlineChanges } from "./outline.ts";
export { prepareStart } from "./starting.ts";
