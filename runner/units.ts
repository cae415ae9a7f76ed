/** Times and amounts of memory as pipeline.yaml and the command line write them. */

const SECONDS: Record<string, number> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };
const MEGABYTES: Record<string, number> = {
  mb: 1,
  gb: 1000,
  tb: 1_000_000,
  mib: 1.048576,
  gib: 1073.741824,
  tib: 1_099_511.627776,
};

function measure(text: string, units: Record<string, number>): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  const factor = unit && Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  return factor === undefined || Number(number) === 0 ? undefined : Number(number) * factor;
}

/** "90s", "10m", "1.5h", "2d", or a number of seconds; undefined when it is none of them. */
export const secondsOf = (given: string | number): number | undefined =>
  typeof given === "number" ? given : measure(given, SECONDS);

/** "500MB", "4GB", "1.5 GiB" in millions of bytes; undefined when it is none of them. */
export const megabytesOf = (given: string): number | undefined => measure(given, MEGABYTES);

/** 1500 → "1.5 GB" */
export const memoryText = (megabytes: number): string =>
  megabytes < 1000 ? `${Math.round(megabytes)} MB` : `${Math.round(megabytes / 100) / 10} GB`;
