/** How much memory a process group takes. */
import { readdirSync, readFileSync } from "node:fs";

/** Between two looks: a peak that is shorter is missed. */
const LOOK_MILLISECONDS = 100;

/** Megabytes of all processes of a group together; 0 where /proc does not say. */
export function groupMegabytes(group: number): number {
  let kilobytes = 0;
  try {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]) !== group) continue;
        kilobytes += Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
      } catch {} // it ended meanwhile
    }
  } catch {}
  return Math.round(kilobytes / 1024);
}

/** Watches this process's group. @returns ends the watch and tells the highest that was seen, without this process */
export function watchGroup(): () => number {
  const own = () => Math.round(process.memoryUsage().rss / 1048576);
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, groupMegabytes(process.pid) - own());
  };
  const timer = setInterval(look, LOOK_MILLISECONDS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
