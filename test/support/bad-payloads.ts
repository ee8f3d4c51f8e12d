import { formatMicros, type Micros, days, minutes } from '../../src/kernel/time.ts'
import { badAvro } from './bad-avro.ts'
import { badJson, type Row } from './bad-json.ts'

/** A message that must become exactly one dead letter, and nothing else. */
export interface BadPayload {
  readonly name: string
  readonly topic: string
  readonly payload: Buffer
  /** The dead letter's reason. */
  readonly reason: string
}

export interface BadPayloadOptions {
  /** Whose readings they would be; the principal may publish for it. */
  readonly tenant: string
  readonly meterId: string
  /**
   * A meter of that tenant for which the principal may not publish; undefined where it may for all.
   */
  readonly foreignMeterId: string | undefined
  /** About the time of receipt, to within a minute. */
  readonly now: Micros
  /** As MAX_AGE_DAYS is set; undefined leaves those payloads out that need it. */
  readonly maxAgeDays: number | undefined
}

const GOOD = '{"at":"2026-11-20T00:00:00Z","power_w":512.5}'

/** More than 200 of them, the same for the same options. */
export function badPayloads(options: BadPayloadOptions): BadPayload[] {
  const topic = `fleet/${options.tenant}/${options.meterId}/readings`
  const rows: Record<string, readonly Row[]>[] = [...badJson(), badAges(options), badAvro(options)]
  const payloads: BadPayload[] = []
  for (const [reason, list] of rows.flatMap((each) => Object.entries(each))) {
    for (const [payload, name] of list) {
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
      payloads.push({
        name: `${reason}: ${name ?? String(payload)}`,
        topic,
        payload: bytes,
        reason,
      })
    }
  }
  return [...payloads, ...badTopics(options)]
}

function badTopics({ tenant, meterId, foreignMeterId }: BadPayloadOptions): BadPayload[] {
  const unknown = ['nowhere', `fleet/${tenant}/${meterId}`, `fleet/${tenant}/${meterId}/x/readings`]
  const bad = [`fleet/${tenant}//readings`, `fleet//${meterId}/readings`, 'fleet/ a/b/readings']
  const foreign = foreignMeterId === undefined ? [] : [`fleet/${tenant}/${foreignMeterId}/readings`]
  const of = (reason: string) => (topic: string) => ({
    name: `${reason}: ${topic}`,
    topic,
    payload: Buffer.from(GOOD),
    reason,
  })
  return [
    ...unknown.map(of('payload.unknownTopic')),
    ...bad.map(of('payload.badTopic')),
    ...foreign.map(of('payload.foreignMeter')),
  ]
}

function badAges({ now, maxAgeDays }: BadPayloadOptions): Record<string, readonly Row[]> {
  const reading = (at: string): Row => [`{"at":${at},"power_w":1}`]
  const texts = (list: readonly Micros[]) =>
    list.map((at) => reading(JSON.stringify(formatMicros(at))))
  const soon = now + minutes(7)
  const future = [
    ...texts([soon, now + days(1), now + days(400), now + days(30_000)]),
    reading('"9999-12-31T23:59:59Z"'),
    reading(String(soon / 1e6)),
    reading(String(Math.round(soon / 1e3))),
    reading(String(soon)),
    reading('99999999999'),
    reading('9e15'),
  ]
  if (maxAgeDays === undefined) return { 'payload.inFuture': future }
  const old = now - days(maxAgeDays) - minutes(2)
  const ancient = texts([old, old - days(1), old - days(1_000), Date.UTC(2001, 0, 1) * 1e3])
  return {
    'payload.inFuture': future,
    'payload.tooOld': [...ancient, reading(String(Math.round(old / 1e6))), reading('100000000')],
  }
}
