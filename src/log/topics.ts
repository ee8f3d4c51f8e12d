import type { TopicSpec } from './log.ts'

/** The names of the topics, as the design fixes them. A prefix keeps test files apart. */
export interface Topics {
  readonly readings: string
  readonly windows: string
  readonly anomalies: string
  readonly deadLetters: string
  /** Between the stages of totals across meters. */
  readonly contributions: string
  /** Snapshots of the state of either stage, by partition of what it reads. */
  readonly state: string
  readonly totalsState: string
  /** What came too late for its windows. */
  readonly repairs: string
}

export function topicNames(prefix = ''): Topics {
  return {
    readings: `${prefix}readings`,
    windows: `${prefix}windows`,
    anomalies: `${prefix}anomalies`,
    deadLetters: `${prefix}dead-letters`,
    contributions: `${prefix}contributions`,
    state: `${prefix}state`,
    totalsState: `${prefix}totals-state`,
    repairs: `${prefix}repairs`,
  }
}

/**
 * The design's settings. LogAppendTime: replayed history has old event times, and Kafka would
 * delete or refuse it by them. Retention is 7 days and, where the server is our own child, capped
 * in size.
 */
export function topicSpecs(
  names: Topics,
  options: { partitions: number; retentionBytes: number },
): readonly TopicSpec[] {
  const settings = {
    'message.timestamp.type': 'LogAppendTime',
    'cleanup.policy': 'delete',
    'retention.ms': String(7 * 86_400_000),
    'retention.bytes': String(options.retentionBytes),
    'max.message.bytes': String(2 * 1024 * 1024),
  }
  // Whoever writes snapshots frees the old ones; time must not take the newest of a quiet fleet.
  const kept = { ...settings, 'retention.ms': '-1', 'retention.bytes': '-1' }
  return Object.values(names).map((topic: string) => ({
    topic,
    partitions: options.partitions,
    settings: topic === names.state || topic === names.totalsState ? kept : settings,
  }))
}

/** The topic of a lookup table: it bears the prefix that the topic of readings bears. */
export function tableTopic(names: Topics, table: string): string {
  return `${names.readings.slice(0, -'readings'.length)}${table}`
}

/**
 * A compacted topic of one partition. What an old record said is kept for longer than readings are,
 * so that computing them again finds the rows of then.
 */
export function tableTopicSpec(topic: string): TopicSpec {
  const settings = {
    'message.timestamp.type': 'LogAppendTime',
    'cleanup.policy': 'compact',
    'min.compaction.lag.ms': String(8 * 86_400_000),
  }
  return { topic, partitions: 1, settings }
}

/** Marks a control record (tick, advance) among readings; its value is `control.avsc`. */
export const CONTROL_HEADER = 'ml-control'
/** On every output record: the input position it comes from, see `src/log/position.ts`. */
export const SOURCE_HEADER = 'ml-src'
