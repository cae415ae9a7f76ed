/** A request that is not answered as asked, and why. */

/** Becomes the status and the text of the answer. */
export class Refusal extends Error {
  readonly status: number;
  /** Seconds after which it may be asked again. */
  readonly retryAfter?: number;

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}
