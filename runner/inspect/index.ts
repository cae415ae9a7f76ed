export { check, verdict } from "./check.ts";
export { diff } from "./diff.ts";
export { explain, parseTarget } from "./explain.ts";
export { Forecast } from "./forecast.ts";
export { graph, status } from "./graph.ts";
export { rerun, verifyStore } from "./verify.ts";
export { whatIf } from "./what-if.ts";
export { why } from "./why.ts";
