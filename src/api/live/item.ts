import { LIMITS } from '../../kernel/limits.ts'
import { type Micros, formatMicros } from '../../kernel/time.ts'
import type { AnomalyRecord, Measurement, Reading, WindowRecord } from '../../schemas/records.ts'
import { anomalyState } from '../contract/items.ts'
import type { AnomalyItem, ReadingItem, WindowItem } from '../contract/items.ts'
import type { LiveTopic } from '../contract/live.ts'

type Body = ReadingItem | WindowItem | AnomalyItem

/** One thing that a feed may send. Its text is made when the first client wants it, and shared. */
export class LiveItem {
  readonly topic: LiveTopic
  readonly tenant: string
  readonly meterId: string
  readonly channel: string
  readonly width: string
  readonly kind: string
  /** Of two items with one `series` the client in mode `latest` gets the one that is newer. */
  readonly series: string
  readonly atMicros: Micros
  private readonly body: () => Body
  private text: string | undefined

  constructor(
    head: Pick<LiveItem, 'topic' | 'tenant' | 'meterId' | 'channel' | 'width' | 'kind' | 'series'>,
    atMicros: Micros,
    body: () => Body,
  ) {
    this.topic = head.topic
    this.tenant = head.tenant
    this.meterId = head.meterId
    this.channel = head.channel
    this.width = head.width
    this.kind = head.kind
    this.series = head.series
    this.atMicros = atMicros
    this.body = body
  }

  get json(): string {
    this.text ??= JSON.stringify(this.body())
    return this.text
  }

  /** Whether this one is to be told rather than `other`, which came before it. */
  replaces(other: LiveItem): boolean {
    return this.atMicros >= other.atMicros
  }
}

/** JSON has no NaN and no infinity; such a value is stored as BAD, and shown as not known. */
const shown = (value: number | null) => (Number.isFinite(value) ? value : null)

export function readingItem(reading: Reading, measurement: Measurement): LiveItem {
  const { tenant, meterId, at, seq } = reading
  const { channel, value, quality } = measurement
  const series = `${meterId}/${channel}`
  const head = { topic: 'readings', tenant, meterId, channel, width: '', kind: '', series } as const
  return new LiveItem(head, at, () => ({
    meterId,
    channel,
    at: formatMicros(at),
    value: shown(value),
    quality,
    seq,
  }))
}

export function windowItem(record: WindowRecord): LiveItem {
  const { tenant, start, end, ...rest } = record
  const { meterId, channel, width } = record
  const series = `${meterId}/${channel}/${width}/${start}`
  const head = { topic: 'windows', tenant, meterId, channel, width, kind: '', series } as const
  return new LiveItem(head, start, () => ({
    ...rest,
    start: formatMicros(start),
    end: formatMicros(end),
  }))
}

export function anomalyItem(record: AnomalyRecord): LiveItem {
  const { tenant, start, end, state, ...rest } = record
  const { meterId, channel, width, kind } = record
  const series = `${meterId}/${channel}/${width}/${kind}/${start}`
  const head = { topic: 'anomalies', tenant, meterId, channel, width, kind, series } as const
  return new LiveItem(head, start, () => ({
    ...rest,
    start: formatMicros(start),
    end: formatMicros(end),
    state: anomalyState(state),
  }))
}

/** The frames of many items: a message that is too long would hold up those behind it. */
export function frameTexts(
  head: { topic: LiveTopic; id: string },
  items: readonly LiveItem[],
  token: string | undefined,
): readonly string[] {
  const texts: string[] = []
  for (let from = 0; from < items.length; from += LIMITS.liveItemsPerMessage) {
    const slice = items.slice(from, from + LIMITS.liveItemsPerMessage)
    const isLast = from + slice.length === items.length
    const tail = isLast && token !== undefined ? `,"token":"${token}"` : ''
    const body = slice.map((item) => item.json).join(',')
    texts.push(`{"type":"${head.topic}","id":${JSON.stringify(head.id)},"items":[${body}]${tail}}`)
  }
  return texts
}
