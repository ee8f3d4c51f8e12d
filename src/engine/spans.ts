import { type Micros, minutes } from '../kernel/time.ts'
import { engineErrors } from './errors.ts'

/** Windows `[n * micros, (n + 1) * micros)` of UTC. `width` is how rows name them. */
export interface Tumbling {
  readonly kind: 'tumbling'
  readonly width: string
  readonly micros: Micros
}

/** Windows `[n * advance, n * advance + micros)` of UTC: each sample lies in several. */
export interface Hopping {
  readonly kind: 'hopping'
  readonly width: string
  readonly micros: Micros
  readonly advance: Micros
}

/** Days or months of the meter's own zone: `[midnight, midnight)`, of 23 and 25 hours too. */
export interface Calendar {
  readonly kind: 'calendar'
  readonly width: string
  readonly unit: CalendarUnit
}

export type CalendarUnit = 'day' | 'month'
export type Span = Tumbling | Hopping | Calendar

export function tumbling(width: string, micros: Micros): Tumbling {
  return { kind: 'tumbling', width, micros }
}

/** `[0, 60) [15, 75) [30, 90) …` where an hour advances by a quarter. */
export function hopping(width: string, micros: Micros, options: { advance: Micros }): Hopping {
  return { kind: 'hopping', width, micros, advance: options.advance }
}

export function calendar(width: string, unit: CalendarUnit): Calendar {
  return { kind: 'calendar', width, unit }
}

/** Every zone has been a multiple of this away from UTC since 1973, and changes by one. */
const ZONES_LIE_ON = minutes(15)

/** @throws engine.badOption where windows cannot be put together from whole panes of `inner`. */
export function checkSpan(
  name: string,
  span: Span,
  inner: { readonly id: string; readonly widthMicros: Micros },
): void {
  const pane = inner.widthMicros
  const refuse = (option: string, value: Micros, wants: string) => {
    throw engineErrors.badOption({ node: name, option, value, wants })
  }
  if (span.kind === 'calendar') {
    if (ZONES_LIE_ON % pane === 0) return
    return refuse('base', pane, 'a divisor of the 15 minutes that local midnights lie on')
  }
  const { micros } = span
  const multiple = `a multiple of the ${pane} of ${inner.id}`
  if (!(micros > pane) || micros % pane !== 0) refuse('width', micros, multiple)
  if (span.kind === 'tumbling') return
  const { advance } = span
  if (!(advance >= pane) || advance % pane !== 0) refuse('advance', advance, multiple)
  if (advance >= micros) refuse('advance', advance, `below the width of ${micros}: else tumbling`)
}

/** What makes the span what it is: for the calendar the time zone database too. */
export function textOf(span: Span): string {
  switch (span.kind) {
    case 'tumbling':
      return `${span.width} ${span.micros}`
    case 'hopping':
      return `${span.width} ${span.micros} advance ${span.advance}`
    case 'calendar':
      return `${span.width} local ${span.unit} tz ${process.versions['tz']}`
  }
}
