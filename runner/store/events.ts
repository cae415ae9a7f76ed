/** The events of a store. */

/** A record was quarantined: its stage runs again. */
export interface StoreEvent {
  kind: "quarantined";
  key: string;
  /** Its defect, as "is damaged". */
  fault: string;
}
