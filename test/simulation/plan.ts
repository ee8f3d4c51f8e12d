import { meterKey, partitionOf } from '../../src/kernel/ids.ts'
import { minutes } from '../../src/kernel/time.ts'
import type { Micros } from '../../src/kernel/time.ts'
import type { OutgoingRecord } from '../../src/log/log.ts'
import { tickRecords } from '../../src/log/control.ts'
import type { Codecs } from '../../src/schemas/codecs.ts'
import type { Dice } from './dice.ts'
import { fleet } from './fleet.ts'
import type { Sent } from './fleet.ts'
import { limitRecord } from './limits.ts'

/** What is appended at once, and the time that the log says of it. */
export interface Happening {
  readonly atMicros: Micros
  readonly records: readonly OutgoingRecord[]
  /** Where to; left out: to the readings. */
  readonly topic?: string
  /** Virtual time until the next one. */
  readonly pauseMillis: number
}

export interface Plan {
  readonly partitions: number
  readonly members: number
  /** Whether windows are looked up in tables, and whether there are totals across meters. */
  readonly hasLimits: boolean
  readonly hasTotals: boolean
  readonly happenings: readonly Happening[]
}

/** All that comes to the log, and when: by the seed alone, whatever becomes of the processes. */
export function makePlan(dice: Dice, codecs: Codecs): Plan {
  const partitions = dice.whole('plan', 1, 4)
  const hasLimits = dice.chance('stages', 0.35)
  const hasTotals = dice.chance('stages', 0.35)
  const sent = withOutage(dice, fleet(dice))
  const happenings: Happening[] = []
  const tick = tickRecords(codecs.control, 'simulation', partitions)
  let bucket: Sent[] = []
  let atMicros = sent[0]!.dueMicros
  const happen = (records: readonly OutgoingRecord[], topic?: string) => {
    const pauseMillis = dice.whole('pause', 0, dice.chance('pause', 0.15) ? 4_000 : 200)
    happenings.push({ atMicros, records, pauseMillis, ...(topic !== undefined && { topic }) })
  }
  const flush = () => {
    shuffle(dice, bucket)
    const records = bucket.map(({ reading }) => readingRecord(codecs, reading, partitions))
    if (dice.chance('poison', 0.05)) records.push(poison(dice, records[0]!))
    happen(records)
    // A producer that was not answered sends once more.
    if (dice.chance('retry', 0.05)) {
      dice.reach('bridge: sends a batch twice')
      happen(records)
    }
    bucket = []
  }
  let size = dice.whole('bucket', 1, 30)
  for (const one of sent) {
    atMicros = Math.max(atMicros, one.dueMicros)
    bucket.push(one)
    if (bucket.length < size) continue
    flush()
    while (hasLimits && dice.chance('limits', 0.4)) {
      const { topic, record } = limitRecord(dice)
      happen([record], topic)
    }
    size = dice.whole('bucket', 1, 30)
    if (!dice.chance('tick', 0.3)) continue
    dice.reach('tick')
    atMicros += 1_000_000 * dice.whole('tick', 0, 15)
    happen(tick)
  }
  if (bucket.length > 0) flush()
  for (let i = 0; i < 2; i++) {
    atMicros += minutes(1)
    happen(tick)
  }
  const members = dice.whole('plan', 1, 3)
  return { partitions, members, hasLimits, hasTotals, happenings }
}

/** For an hour or two nothing comes; then all of it does. */
function withOutage(dice: Dice, sent: readonly Sent[]): readonly Sent[] {
  if (!dice.chance('outage', 0.3)) return sent
  dice.reach('append time: an outage')
  const from = sent[dice.whole('outage', 0, sent.length - 1)]!.dueMicros
  const to = from + minutes(dice.whole('outage', 60, 120))
  return sent
    .map((one) => (one.dueMicros >= from && one.dueMicros < to ? { ...one, dueMicros: to } : one))
    .sort((a, b) => a.dueMicros - b.dueMicros)
}

function shuffle(dice: Dice, bucket: Sent[]): void {
  if (!dice.chance('shuffle', 0.2)) return
  dice.reach('reading: out of order')
  for (let i = bucket.length - 1; i > 0; i--) {
    const other = dice.whole('shuffle', 0, i)
    const one = bucket[i]!
    bucket[i] = bucket[other]!
    bucket[other] = one
  }
}

function readingRecord(
  codecs: Codecs,
  reading: Sent['reading'],
  partitions: number,
): OutgoingRecord {
  const key = Buffer.from(meterKey(reading.tenant, reading.meterId))
  return { key, value: codecs.reading.encode(reading), partition: partitionOf(key, partitions) }
}

/** What no reader can make anything of, in the place where a reading might be. */
function poison(dice: Dice, sound: OutgoingRecord): OutgoingRecord {
  const value = sound.value!
  const kinds: readonly (readonly [string, Partial<OutgoingRecord>])[] = [
    ['poison: no value', { value: null }],
    ['poison: no schema', { value: Buffer.from('what is this?') }],
    ['poison: cut off', { value: value.subarray(0, value.length - 3) }],
    ['poison: too long', { value: Buffer.concat([value, Buffer.from([0])]) }],
    ['poison: the key of another meter', { key: Buffer.from('demo/other') }],
    ['poison: no key', { key: null }],
  ]
  const [what, part] = kinds[dice.whole('poison', 0, kinds.length - 1)]!
  dice.reach(what)
  return { ...sound, ...part }
}
