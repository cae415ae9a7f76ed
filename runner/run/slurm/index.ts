export { runOnSlurm, type SlurmEvents } from "./run.ts";
