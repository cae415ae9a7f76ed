/** The events of a store. */

/** A record was quarantined: its stage runs again. */
export interface StoreEvent {
  kind: "quarantined";
  key: string;
  /** What is wrong with it, as "is damaged". */
  fault: string;
}
