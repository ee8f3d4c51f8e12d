import type { AnomalyItem } from '../../api/contract/items.ts'
import { anomalyHref } from '../data/anomaly-list.ts'
import { meterInfo } from '../data/meter-infos.ts'
import { nowMs } from '../shell/clock.ts'
import { Link } from '../shell/router.tsx'
import { channelName, kindName } from '../text/names.ts'
import { changeText, quantityText } from '../text/numbers.ts'
import { spanText, timeText } from '../text/times.ts'
import { Ago } from './ago.tsx'

/** Severity told by shape and word, not by colour alone. */
export function Severity({ item }: { readonly item: AnomalyItem }) {
  const past = { active: undefined, retracted: 'withdrawn', ended: 'ended' }[item.state]
  const level = past ?? item.severity
  return (
    <span class={`severity ${past === undefined ? level : 'withdrawn'}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true" focusable="false">
        <path d={level === 'high' ? 'M6 1 11.5 11H.5Z' : 'M6 .8 11.2 6 6 11.2.8 6Z'} />
      </svg>
      <span class="severity-name">{level}</span>
    </span>
  )
}

/** The unit of the anomaly's channel, as soon as it is known. */
export function unitOf({ meterId, channel, kind }: AnomalyItem): string {
  if (kind === 'silence') return 's'
  const info = meterInfo(meterId).value
  const unit = info?.latest.find((one) => one.channel === channel)?.unit
  if (info?.latest.find((one) => one.channel === channel)?.kind === 'cumulative') return 'Wh'
  return unit ?? ''
}

export const zoneOf = (meterId: string) => meterInfo(meterId).value?.zone ?? 'UTC'

export function AnomalyLink({ item }: { readonly item: AnomalyItem }) {
  return (
    <Link href={anomalyHref(item, nowMs.peek())} class="row-link">
      {item.meterId}
    </Link>
  )
}

/** What was seen, against what was expected. */
export function SeenAndExpected({ item }: { readonly item: AnomalyItem }) {
  const unit = unitOf(item)
  const { value, expected, pctChange } = item
  return (
    <span class="seen">
      <strong>{changeText(pctChange)}</strong>{' '}
      <span class="muted">
        {quantityText(value, unit)}, expected {quantityText(expected, unit)}
      </span>
    </span>
  )
}

export function AnomalyTime({ item }: { readonly item: AnomalyItem }) {
  const zone = zoneOf(item.meterId)
  const [from, to] = [Date.parse(item.start), Date.parse(item.end)]
  return (
    <span>
      {timeText(from, zone, 'day')} {spanText(from, to, zone)}
    </span>
  )
}

/** As one entry of a short list. */
export function AnomalyEntry({ item }: { readonly item: AnomalyItem }) {
  return (
    <article class={`anomaly-entry ${item.state}`}>
      <p class="anomaly-head">
        <Severity item={item} />
        <AnomalyLink item={item} />
        <span class="anomaly-ago">
          <Ago at={Date.parse(item.end)} zone={zoneOf(item.meterId)} />
        </span>
      </p>
      <p class="anomaly-what">
        {channelName(item.channel)},{' '}
        {item.kind === 'consecutive_anomalies'
          ? `${item.run} spikes in a row`
          : kindName(item.kind).toLowerCase()}{' '}
        <SeenAndExpected item={item} />
      </p>
    </article>
  )
}
