import type { ReadonlySignal } from '@preact/signals'
import { serverNowMs } from '../rest/ask.ts'
import { kindName } from '../text/names.ts'
import { changeText, percentText, quantityText } from '../text/numbers.ts'
import { fullTime, spanText, timeText } from '../text/times.ts'
import type { Picture } from './compose.ts'
import { indexAt } from './line.ts'

export interface Pointed {
  /** ms UTC */
  readonly at: number
  /** On the chart, pixels. */
  readonly left: number
  readonly top: number
}

interface TooltipProps {
  readonly pointed: ReadonlySignal<Pointed | undefined>
  readonly picture: Picture
  readonly unit: string
  readonly zone: string
}

/** A line of the tooltip: what it is, and how much. */
interface Fact {
  readonly name: string
  readonly text: string
  readonly class?: string
}

export function Tooltip({ pointed, picture, unit, zone }: TooltipProps) {
  const where = pointed.value
  const said = where === undefined ? undefined : told(picture, where.at, unit, zone)
  // On the right half it stands left of the pointer, so that it never leaves the chart.
  const side = where !== undefined && where.left > 320 ? 'left' : 'right'
  return (
    <>
      {where === undefined || said === undefined ? null : (
        <div
          class={`tooltip ${side}`}
          aria-hidden="true"
          style={{ left: `${where.left}px`, top: `${Math.max(8, where.top - 20)}px` }}
        >
          <p class="tooltip-time">{said.time}</p>
          <dl>
            {said.facts.map(({ name, text, class: classes = '' }) => (
              <div key={name} class={classes}>
                <dt>{name}</dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
      <output class="visually-hidden">
        {said === undefined
          ? ''
          : `${said.time}: ${said.facts.map(({ name, text }) => `${name} ${text}`).join(', ')}`}
      </output>
    </>
  )
}

/** What the chart shows at a time. */
export function told(picture: Picture, at: number, unit: string, zone: string) {
  const within = ({ from, to }: { from: number; to: number }) => at >= from && at < to
  const pane = picture.panes.find(within)
  const facts: Fact[] = []
  let time = fullTime(Math.round(at / 1_000) * 1_000, zone, serverNowMs())
  if (pane === undefined) {
    const nearest = nearestReading(picture, at)
    if (nearest !== undefined) {
      time = fullTime(nearest.at, zone, serverNowMs())
      facts.push({ name: 'Reading', text: quantityText(nearest.value, unit) })
    }
  } else {
    const { item, from, to } = pane
    time = `${timeText(from, zone, 'day')} ${spanText(from, to, zone)}`
    if (picture.isBars) facts.push({ name: 'Energy', text: quantityText(item.energyWh, unit) })
    else {
      facts.push({ name: 'Mean', text: quantityText(item.mean, unit) })
      const text = `${quantityText(item.min, unit)} – ${quantityText(item.max, unit)}`
      facts.push({ name: 'Least – greatest', text })
    }
    const expected = item.expected === null ? '' : ` of ${Math.round(item.expected)}`
    facts.push({
      name: 'Readings',
      text: `${item.count}${expected}, ${percentText(item.completeness)}`,
    })
  }
  const band = picture.bands.find(within)
  if (band !== undefined) {
    facts.push({ name: 'Expected', text: quantityText(band.centre, unit) })
    const text = `${quantityText(band.lower, unit)} – ${quantityText(band.upper, unit)}`
    facts.push({ name: 'Ordinary', text })
  }
  for (const { item, isHigh } of picture.marks.filter(within)) {
    const text = `${changeText(item.pctChange)}, ${item.severity}`
    facts.push({ name: kindName(item.kind), text, class: isHigh ? 'high' : 'medium' })
  }
  return facts.length === 0 ? undefined : { time, facts }
}

function nearestReading({ line, tail }: Picture, at: number) {
  const isTail = tail.x.length > 0 && at >= tail.x[0]!
  const { x, y } = isTail ? tail : line
  const before = indexAt(x, at)
  const found = [before - 1, before, before + 1, before + 2]
    .filter((i) => (y[i] ?? null) !== null)
    .sort((a, b) => Math.abs(x[a]! - at) - Math.abs(x[b]! - at))[0]
  return found === undefined ? undefined : { at: x[found]!, value: y[found]! }
}
