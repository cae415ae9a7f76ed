/** The process of a Slurm job: `node job.mjs STORE NAME`, in the project's folder. */
import { Store } from "../../store/index.ts";
import { local } from "../local/index.ts";
import { work } from "./work.ts";

const number = (variable: string) => Number(process.env[variable] ?? 0);
const cancelled = new AbortController();
process.on("SIGTERM", () => cancelled.abort());
const [, , folder, name] = process.argv;
const leave = await new Store(folder).enter((owner) => console.log(`waits: ${owner} is collecting garbage.`));
process.once("exit", leave);
process.exitCode = await work(folder, name, {
  job: process.env.SLURM_ARRAY_JOB_ID!,
  index: number("SLURM_ARRAY_TASK_ID"),
  cores: Math.max(1, number("SLURM_CPUS_PER_TASK")),
  restarts: number("SLURM_RESTART_COUNT"),
  executor: local,
  signal: cancelled.signal,
});
