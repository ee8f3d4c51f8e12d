/** The schema ids of the embedded default, fixed for ever. A real registry gives its own. */
export const SCHEMA_IDS = {
  reading: 1,
  'bench-window': 2,
  window: 3,
  anomaly: 4,
  control: 5,
  'dead-letter': 6,
} as const

/** A record's name: its file in `schemas/` without `.avsc`. */
export type RecordName = keyof typeof SCHEMA_IDS
