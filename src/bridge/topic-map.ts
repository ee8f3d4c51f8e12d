import type { JsonPointer } from './formats/json-pointer.ts'
import type { Repeated } from './formats/local-clock.ts'

/**
 * The topic map: how what real devices send becomes readings. `config/topic-map.json` is its text,
 * docs/readings.md its description.
 *
 * - entry: the messages of one kind, named by a pattern of topics. The first entry whose pattern
 *   fits takes the message.
 * - pattern: an MQTT filter whose levels may also be `{name}`, which stands for one level and keeps
 *   it.
 */
export interface TopicMap {
  readonly entries: readonly TopicEntry[]
}

export type TopicEntry = ReadingEntry | IgnoreEntry

/** Messages that hold no readings: counted, and neither stored nor refused. */
export interface IgnoreEntry {
  readonly kind: 'ignore'
  readonly name: string
  readonly pattern: TopicPattern
}

export interface ReadingEntry {
  readonly kind: 'reading'
  readonly name: string
  readonly pattern: TopicPattern
  /** With `{name}` for what the pattern has kept. */
  readonly tenant: string
  readonly meterId: string
  /** A message that does not meet it holds no reading. */
  readonly when: WhenSpec | undefined
  readonly time: TimeSpec
  readonly seq: JsonPointer | undefined
  readonly values: readonly ValueSpec[]
}

export interface WhenSpec {
  readonly pointer: JsonPointer
  readonly oneOf: readonly unknown[]
}

export interface TimeSpec {
  /** undefined: the time of receipt. */
  readonly pointer: JsonPointer | undefined
  /** Of a time that names none; `meter`: the one that the registry has of the meter. */
  readonly zone: string | undefined
  readonly repeated: Repeated
  /** Where the message has no time: whether the time of receipt takes its place. */
  readonly orReceived: boolean
}

export interface ValueSpec {
  readonly pointer: JsonPointer
  /** With `{1}`, `{2}` ... for what the pointer's stars stand for. */
  readonly channel: string
  /** Where the value is an array: the channel of each element, with `{n}` for its number from 1. */
  readonly each: string | undefined
  /** The value is multiplied by it. */
  readonly scale: number
  /** Whether a number in quotes is one. */
  readonly numericText: boolean
  /** Where this leads somewhere, the value is left out. */
  readonly unless: JsonPointer | undefined
}

const WORD = /^\{([A-Za-z][A-Za-z0-9]*)\}$/

export class TopicPattern {
  readonly text: string
  /** The names that it keeps. */
  readonly names: readonly string[]
  /** The same as an MQTT filter, to subscribe with. */
  readonly filter: string
  private readonly levels: readonly string[]

  constructor(text: string) {
    this.text = text
    this.levels = text.split('/')
    this.names = this.levels.flatMap((level) => WORD.exec(level)?.[1] ?? [])
    this.filter = this.levels.map((level) => (WORD.test(level) ? '+' : level)).join('/')
  }

  /** What the pattern keeps of the topic; undefined where it does not fit. */
  match(topic: string): ReadonlyMap<string, string> | undefined {
    const levels = topic.split('/')
    const kept = new Map<string, string>()
    for (const [i, wanted] of this.levels.entries()) {
      if (wanted === '#') return kept
      const level = levels[i]
      if (level === undefined) return undefined
      const name = WORD.exec(wanted)?.[1]
      if (name !== undefined) kept.set(name, level)
      else if (wanted !== '+' && wanted !== level) return undefined
    }
    return levels.length === this.levels.length ? kept : undefined
  }
}

/** `text` with each `{name}` replaced. */
export function filled(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(/\{([A-Za-z0-9]+)\}/g, (whole, name: string) => names.get(name) ?? whole)
}

/** The filters to subscribe with at a broker: those of entries that give readings. */
export function topicFilters(map: TopicMap): readonly string[] {
  const filters = map.entries.flatMap((e) => (e.kind === 'reading' ? [e.pattern.filter] : []))
  return [...new Set(filters)]
}
