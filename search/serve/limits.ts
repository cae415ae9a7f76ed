/** Limits of the server. */

const SECOND = 1000;

export const LIMITS = {
  /** Bytes of an image. */
  imageBytes: 32 << 20,
  /** Pixels of an image, decoded. */
  imagePixels: 100e6,
  /** Bytes of a JSON body. */
  jsonBytes: 64 << 10,
  /** Images that one answer holds. */
  top: 1000,
  /** Characters of a text that filters classes. */
  filter: 200,
  /** Images that wait for the encoder; more are refused. */
  waiting: 64,
  /** Connections at the same time. */
  connections: 256,
  /** Milliseconds until a request's head has arrived. */
  head: 10 * SECOND,
  /** Milliseconds until a whole request has arrived. */
  request: 30 * SECOND,
  /** Milliseconds until an image is encoded. */
  encode: 30 * SECOND,
  /** Milliseconds that a connection without a request stays open. */
  idle: 5 * SECOND,
  /** Milliseconds that requests have to end when the server stops. */
  stop: 5 * SECOND,
};

export type Limits = typeof LIMITS;
