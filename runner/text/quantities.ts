/** Whole numbers, sizes and times, as people write them. */

const UNITS = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** `5GB` → bytes; undefined for any other text */
export function bytesOf(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT]?B)$/i.exec(text) ?? [];
  if (!number) return undefined;
  return Number(number) * UNITS[unit.toUpperCase() as keyof typeof UNITS];
}

const SECONDS = { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 };
const HOUR_MILLISECONDS = SECONDS.h * 1000;
const DAY_MILLISECONDS = SECONDS.d * 1000;

/**
 * Read a time: `90s`, `10m`, `1.5h`, `2d`, `4w`, or a number of seconds.
 * @param units the units that are allowed; all unless given
 * @returns seconds; undefined if the text is not a time
 */
export function secondsOf(given: string | number, units = Object.keys(SECONDS)): number | undefined {
  if (typeof given === "number") return given;
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(given) ?? [];
  return unit && units.includes(unit) ? Number(number) * SECONDS[unit as keyof typeof SECONDS] : undefined;
}

/** Read a whole number of at least `from`, written in decimal digits; undefined for any other text. */
export function wholeNumber(text: string, from: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) && value >= from ? value : undefined;
}

/** 1234567 → "1.2 MB" */
export function size(bytes: number): string {
  const [unit, one] = Object.entries(UNITS).findLast(([, one]) => bytes >= one) ?? ["B", 1];
  return `${one === 1 ? bytes : (bytes / one).toFixed(1)} ${unit}`;
}

/** Milliseconds → "3 d" */
export const age = (milliseconds: number): string =>
  milliseconds < DAY_MILLISECONDS
    ? `${Math.floor(milliseconds / HOUR_MILLISECONDS)} h`
    : `${Math.floor(milliseconds / DAY_MILLISECONDS)} d`;

/** "1 stage", "2 stages" */
export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** 75 → "1 min 15 s" */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
