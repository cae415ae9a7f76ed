/** How long a shared cache may say nothing. */
import { UserError } from "../stage.ts";
import { brief } from "../text/index.ts";

const USUAL_SECONDS = 10;
const MOST_SECONDS = 86_400;

/** DEEPHASH_REMOTE_TIMEOUT, in milliseconds. @throws UserError where it is no number of seconds */
export function patience(text = process.env.DEEPHASH_REMOTE_TIMEOUT || String(USUAL_SECONDS)): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= MOST_SECONDS))
    throw new UserError(
      `DEEPHASH_REMOTE_TIMEOUT: a number of seconds above 0 was expected, at most ${MOST_SECONDS}, not ${brief(text)}.`,
    );
  return seconds * 1000;
}
