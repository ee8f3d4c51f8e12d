import { readFileSync } from 'node:fs'
import { SCHEMA_VERSION_IDS } from './ids.ts'
import type { RecordName } from './ids.ts'

/** The schemas' texts as committed, and the subjects that they bear in a registry. */

const FOLDER = new URL('../../schemas/', import.meta.url)

/** The text of `schemas/<name>.avsc`: the newest version. */
export function schemaText(name: RecordName): string {
  return readFileSync(new URL(`${name}.avsc`, FOLDER), 'utf8')
}

/** One version of a record's schema. */
export interface SchemaVersion {
  readonly name: RecordName
  /** From 1. */
  readonly version: number
  readonly id: number
  readonly text: string
}

/** All versions of a record's schema, the first one first. */
export function schemaVersions(name: RecordName): readonly SchemaVersion[] {
  return SCHEMA_VERSION_IDS[name].map((id, index) => {
    const version = index + 1
    const text = readFileSync(new URL(`versions/${name}/${version}.avsc`, FOLDER), 'utf8')
    return { name, version, id, text }
  })
}

/**
 * The topic that a record is on, without its prefix, and what follows the topic in the subject.
 * Subjects are `<topic>-value`, as Confluent's TopicNameStrategy has them. Control records share
 * the topic of the readings, so theirs is named as TopicRecordNameStrategy does it.
 */
const SUBJECTS: Readonly<Record<RecordName, readonly [topic: string, rest: string]>> = {
  reading: ['readings', 'value'],
  'bench-window': ['bench.windows', 'value'],
  window: ['windows', 'value'],
  anomaly: ['anomalies', 'value'],
  control: ['readings', 'meterloom.Control'],
  'dead-letter': ['dead-letters', 'value'],
  contribution: ['contributions', 'value'],
  'repair-request': ['repairs', 'value'],
  'repair-result': ['readings', 'meterloom.RepairResult'],
}

export function subjectOf(name: RecordName, topicPrefix = ''): string {
  const [topic, rest] = SUBJECTS[name]
  return `${topicPrefix}${topic}-${rest}`
}
