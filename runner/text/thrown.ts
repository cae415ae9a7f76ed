/** Anything thrown, as an Error with a message. */
import { inspect, types } from "node:util";

/** Characters of a message that are kept: it is told in one line. */
const LONGEST_MESSAGE = 10_000;

/** The words of an error that has none of its own. */
function messageOf(thrown: unknown): string {
  if (typeof thrown === "string") return thrown || "threw an empty text";
  if (!types.isNativeError(thrown) && !(thrown instanceof Error)) return `threw ${inspect(thrown)}`;
  if (thrown.message) return String(thrown.message);
  const { errors } = thrown as Partial<AggregateError>;
  const inner = Array.isArray(errors) ? errors.map(messageOf).join("; ") : "";
  return inner || `${thrown.name || "an error"} without a message`;
}

/** An error in the form of a message: JavaScript can throw anything, and an error may be empty or of any length. */
export interface Thrown {
  name: string;
  code?: string;
  message: string;
  /** The stack, or what stands for it: for the log. */
  stack: string;
}

/** Anything thrown, in words. */
export function thrown(value: unknown): Thrown {
  const { name, code, stack } = (typeof value === "object" && value !== null ? value : {}) as Partial<Thrown>;
  const message = messageOf(value);
  return {
    name: typeof name === "string" ? name : "Error",
    code: typeof code === "string" ? code : undefined,
    message: message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message,
    stack: (typeof stack === "string" && stack) || message,
  };
}
