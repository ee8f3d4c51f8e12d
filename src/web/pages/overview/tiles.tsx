import type { ComponentChildren } from 'preact'
import type { Overview } from '../../../api/contract/overview.ts'
import { PULSE_MS, rates, stepsShown, usePulse } from '../../data/pulse.ts'
import { SMOOTHED, smoothLine } from '../../data/rates.ts'
import { Amount } from '../../parts/quantity.tsx'
import { Spark } from '../../parts/spark.tsx'
import { Link } from '../../shell/router.tsx'
import { kindName } from '../../text/names.ts'
import { durationText } from '../../text/times.ts'
import { countText, lagQuantity, rateText } from '../../text/numbers.ts'

interface TileProps {
  readonly name: string
  readonly class?: string
  readonly children: ComponentChildren
}

function Tile({ name, class: classes = '', children }: TileProps) {
  return (
    <div class={`tile ${classes}`}>
      <h2 class="tile-name">{name}</h2>
      {children}
    </div>
  )
}

/** Undefined: not known yet; the tiles have their size already. */
export function FleetTiles({ overview }: { readonly overview: Overview | undefined }) {
  return (
    <div class="tiles" aria-busy={overview === undefined}>
      <Fleet meters={overview?.meters} />
      <Rate perSecond={overview?.readingsPerSecond} />
      <Lag seconds={overview === undefined ? null : overview.lagSeconds} />
      <Anomalies counts={overview?.anomaliesLastHour} />
    </div>
  )
}

const SHARES = [
  { key: 'reporting', name: 'reporting' },
  { key: 'silent', name: 'silent' },
  { key: 'neverSeen', name: 'never seen' },
] as const

function Fleet({ meters }: { readonly meters: Overview['meters'] | undefined }) {
  const known = meters?.known ?? 0
  return (
    <Tile name="Meters" class="tile-fleet">
      <p class="tile-value">{meters === undefined ? '–' : countText(known)}</p>
      <div class="share-bar" aria-hidden="true">
        {SHARES.filter(({ key }) => (meters?.[key] ?? 0) > 0).map(({ key }) => (
          <span key={key} class={key} style={{ flexGrow: meters![key] }} />
        ))}
      </div>
      <ul class="share-legend">
        {SHARES.map(({ key, name }) => (
          <li key={key}>
            <span class={`swatch ${key}`} aria-hidden="true" />
            <strong>{meters === undefined ? '–' : countText(meters[key])}</strong> {name}
          </li>
        ))}
      </ul>
    </Tile>
  )
}

function Rate({ perSecond }: { readonly perSecond: number | undefined }) {
  usePulse()
  const known = rates.value.bridge
  const steps = stepsShown(known)
  const text = perSecond === undefined ? '–' : rateText(perSecond)
  return (
    <Tile name="Readings" class="tile-rate">
      <p class="tile-value">
        {text}
        <span class="unit"> /s</span>
      </p>
      <div class="tile-strip">
        <Spark
          values={smoothLine(known, SMOOTHED)}
          steps={steps}
          label={`Readings a second over the last ${spanOf(steps)}; now ${text}`}
        />
        <p class="tile-strip-scale" aria-hidden="true">
          <span>{spanOf(steps)} ago</span>
          <span>now</span>
        </p>
      </div>
    </Tile>
  )
}

const spanOf = (steps: number) => durationText(steps * PULSE_MS)

function Lag({ seconds }: { readonly seconds: number | null }) {
  const level = seconds === null ? '' : seconds < 10 ? 'good' : seconds < 120 ? 'fair' : 'poor'
  const said = { '': 'not known', good: 'up to date', fair: 'behind', poor: 'far behind' }[level]
  return (
    <Tile name="Windows lag">
      <p class="tile-value">
        <Amount of={lagQuantity(seconds)} />
      </p>
      <p class="tile-note">
        <span class={`level ${level}`}>{said}</span>
      </p>
      <p class="tile-foot">
        <Link href="/pipeline">See the pipeline</Link>
      </p>
    </Tile>
  )
}

function Anomalies({ counts }: { readonly counts: Overview['anomaliesLastHour'] | undefined }) {
  const total = counts?.reduce((sum, { count }) => sum + count, 0)
  return (
    <Tile name="Anomalies, last hour">
      <p class="tile-value">{total === undefined ? '–' : countText(total)}</p>
      <ul class="tile-counts">
        {counts?.map(({ kind, count }) => (
          <li key={kind}>
            <Link href={`/anomalies?kind=${encodeURIComponent(kind)}`}>{kindName(kind)}</Link>
            <span>{countText(count)}</span>
          </li>
        ))}
        {counts?.length === 0 ? <li class="muted">None: all is as usual</li> : null}
      </ul>
    </Tile>
  )
}
