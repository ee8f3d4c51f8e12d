import type { Picture } from '../../chart/compose.ts'
import type { View } from '../../chart/view.ts'
import { widthName } from '../../text/names.ts'
import { countText } from '../../text/numbers.ts'
import { zoneName } from '../../text/times.ts'

interface LegendProps {
  readonly picture: Picture
  readonly view: View
  readonly note: string | undefined
  readonly zone: string
}

/** What the lines and marks of the chart are, and what they are drawn from. */
export function Legend({ picture, view, note, zone }: LegendProps) {
  const { width, isBars, bands, marks, line, tail } = picture
  const name = width === undefined ? 'Readings' : isBars ? 'Energy' : 'Mean'
  const kinds = [
    { class: isBars ? 'key-bar' : 'key-line', name, isShown: true },
    { class: 'key-soft', name: 'Least to greatest', isShown: width !== undefined && !isBars },
    { class: 'key-tail', name: 'Newest readings', isShown: tail.x.length > 0 },
    { class: 'key-band', name: 'Ordinary, with what is expected', isShown: bands.length > 0 },
    { class: 'key-high', name: 'High anomaly', isShown: marks.some(({ isHigh }) => isHigh) },
    { class: 'key-medium', name: 'Medium', isShown: marks.some(({ isHigh }) => !isHigh) },
  ]
  const points = line.x.filter((at, i) => line.y[i] !== null && at >= view.from && at <= view.to)
  const what = width === undefined ? 'readings' : `windows of ${widthName(width)}`
  return (
    <div class="legend">
      <ul>
        {kinds
          .filter(({ isShown }) => isShown)
          .map((kind) => (
            <li key={kind.name}>
              <span class={`key ${kind.class}`} aria-hidden="true" />
              {kind.name}
            </li>
          ))}
      </ul>
      <p class="muted">
        {note === undefined ? '' : `${note} `}
        {countText(points.length)} {what}, times in {zone} ({zoneName(view.to, zone)})
      </p>
    </div>
  )
}
