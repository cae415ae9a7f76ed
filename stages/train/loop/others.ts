/** The load of the machine while a training is timed. */
import { cpus } from "node:os";
import type { Machine } from "../../shared/artifacts/history.ts";

/** Busy and idle seconds, summed over all cores of the machine. */
function coreSeconds(): { busy: number; idle: number } {
  const sum = { busy: 0, idle: 0 };
  for (const { times } of cpus()) {
    sum.busy += (times.user + times.nice + times.sys + times.irq) / 1000;
    sum.idle += times.idle / 1000;
  }
  return sum;
}

/**
 * Starts measuring. @returns a function that gives the load since then
 * @param read the busy and idle seconds of all cores @param own the CPU time of this process
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
