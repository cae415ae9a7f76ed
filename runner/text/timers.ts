/** Timers of any length. */

/** The longest that one timer of Node lasts: a longer one would fire at once. */
const LONGEST_MILLISECONDS = 2 ** 31 - 1;

/** Calls back after a time, be it weeks. @returns what cancels it */
export function after(milliseconds: number, call: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    const now = Math.min(left, LONGEST_MILLISECONDS);
    timer = setTimeout(() => (left > now ? wait(left - now) : call()), now);
  };
  wait(milliseconds);
  return () => clearTimeout(timer);
}
