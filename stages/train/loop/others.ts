/** What else the machine did while a training was timed. */
import { cpus } from "node:os";

/** Cores, and how many of them other processes kept busy, on average; null where the machine does not tell. */
export interface Machine {
  cores: number;
  others_busy: number | null;
}

/** Seconds that all cores of the machine were at work, and that they were not. */
function coreSeconds(): { busy: number; idle: number } {
  const sum = { busy: 0, idle: 0 };
  for (const { times } of cpus()) {
    sum.busy += (times.user + times.nice + times.sys + times.irq) / 1000;
    sum.idle += times.idle / 1000;
  }
  return sum;
}

/**
 * Begins to watch. @returns what there is to tell of the time since
 * @param read tells what the cores did, and `own` the seconds that this process had of it
 */
export function watchOthers(
  read = coreSeconds,
  own = () => process.cpuUsage(),
  cores = cpus().length,
): () => Machine {
  const [before, ownBefore] = [read(), own()];
  const began = performance.now();
  return () => {
    const [after, ownAfter] = [read(), own()];
    const busy = after.busy - before.busy;
    const told = busy + after.idle - before.idle > 0;
    const spent = (ownAfter.user + ownAfter.system - ownBefore.user - ownBefore.system) / 1e6;
    const seconds = (performance.now() - began) / 1000;
    // The machine counts in hundredths of a second: a difference may come out a little below 0.
    return { cores, others_busy: told ? Math.max(0, (busy - spent) / seconds) : null };
  };
}
