/** Colours, where there is a terminal to show them. NO_COLOR takes them away (no-color.org), FORCE_COLOR gives them. */
import picocolors from "picocolors";

const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== "0";

export const colors = picocolors.createColors(
  !NO_COLOR && (forced || (process.stdout.isTTY === true && TERM !== "dumb")),
);
