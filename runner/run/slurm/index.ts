export { runOnSlurm } from "./run.ts";
