/**
 * The schema ids of the embedded default, one for each version of a record's schema, the first
 * version first. Fixed for ever: a new version gets a number that was never used, and its text is
 * committed as `schemas/versions/<record>/<version>.avsc`. A real registry gives ids of its own.
 */
export const SCHEMA_VERSION_IDS = {
  reading: [1],
  'bench-window': [2],
  window: [3],
  anomaly: [4],
  control: [5],
  'dead-letter': [6],
  contribution: [7],
  'repair-request': [8, 10],
  'repair-result': [9],
} as const satisfies Record<string, readonly number[]>

/** A record's name: its file in `schemas/` without `.avsc`. */
export type RecordName = keyof typeof SCHEMA_VERSION_IDS

export const RECORD_NAMES = Object.keys(SCHEMA_VERSION_IDS) as readonly RecordName[]

/** The ids that are written: those of the newest versions. */
export const SCHEMA_IDS = Object.freeze(
  Object.fromEntries(RECORD_NAMES.map((name) => [name, SCHEMA_VERSION_IDS[name].at(-1)!])),
) as Readonly<Record<RecordName, number>>
