import { LIMITS } from '../../kernel/limits.ts'
import type { FleetPublish, PublishedReading } from './fleet.ts'

interface Open {
  readonly last: FleetPublish
  readonly texts: string[]
  readonly readings: PublishedReading[]
  characters: number
}

/**
 * Joins publishes of one meter into arrays of up to `readingsMax` readings, for history that is to
 * go fast. The order of each meter's readings stays; between meters it becomes coarser. What waits
 * is bounded over all meters.
 */
export function* inBulk(
  publishes: Iterable<FleetPublish>,
  readingsMax: number,
): Generator<FleetPublish, void, void> {
  const open = new Map<number, Open>()
  let waiting = 0
  const take = (meter: number, of: Open): FleetPublish => {
    open.delete(meter)
    waiting -= of.readings.length
    const payload = of.readings.length === 1 ? of.texts[0]! : `[${of.texts.join(',')}]`
    return { ...of.last, payload, readings: of.readings }
  }
  for (const publish of publishes) {
    const { meter, readings, payload } = publish
    const there = open.get(meter)
    // Poison joins nothing: it would spoil the readings beside it.
    const isAlone = readings.length === 0
    const isTooLong =
      there !== undefined &&
      there.characters + payload.length > LIMITS.readingPayloadBytesMax - 1_024
    if (there !== undefined && (isAlone || isTooLong)) yield take(meter, there)
    if (isAlone) {
      yield publish
      continue
    }
    const into = open.get(meter) ?? { last: publish, texts: [], readings: [], characters: 0 }
    into.texts.push(readings.length === 1 ? payload : payload.slice(1, -1))
    into.readings.push(...readings)
    into.characters += payload.length + 1
    open.set(meter, into)
    waiting += readings.length
    if (into.readings.length >= readingsMax) yield take(meter, into)
    if (waiting > LIMITS.replayGatheredMax) {
      for (const [each, of] of [...open]) yield take(each, of)
    }
  }
  for (const [each, of] of [...open]) yield take(each, of)
}
