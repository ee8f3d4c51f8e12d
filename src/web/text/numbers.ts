/** Numbers as people read them: with their units, and with prefixes where that makes them short. */

export interface Quantity {
  readonly number: string
  readonly unit: string
}

/** Units that take prefixes, and what one of each is in the unit without any. */
const PREFIXED: Readonly<Record<string, readonly [base: string, factor: number]>> = {
  W: ['W', 1],
  kW: ['W', 1e3],
  MW: ['W', 1e6],
  Wh: ['Wh', 1],
  kWh: ['Wh', 1e3],
  MWh: ['Wh', 1e6],
  VA: ['VA', 1],
  var: ['var', 1],
  V: ['V', 1],
  A: ['A', 1],
}
const PREFIXES: readonly [least: number, prefix: string][] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]
const PLAIN: Readonly<Record<string, string>> = { C: '°C' }
const NOTHING = '–'

const formats = new Map<number, Intl.NumberFormat>()

function fixed(value: number, digits: number): string {
  let format = formats.get(digits)
  if (format === undefined) {
    const both = { minimumFractionDigits: digits, maximumFractionDigits: digits }
    format = new Intl.NumberFormat('en-GB', both)
    formats.set(digits, format)
  }
  // A minus sign of its own is as wide as a figure; -0 is 0.
  return format
    .format(value + 0)
    .replace('-', '−')
    .replace(/^−(0(?:\.0+)?)$/, '$1')
}

/**
 * A value with its unit: `1.23 kW`, `230.1 V`. `like` is the value that the prefix is chosen for
 * where it is another one: a scale has one prefix.
 */
export function quantity(value: number | null, unit: string, like = value): Quantity {
  if (value === null || !Number.isFinite(value)) return { number: NOTHING, unit: '' }
  const known = PREFIXED[unit]
  if (known === undefined) return { number: digitsOf(value, 1), unit: PLAIN[unit] ?? unit }
  const [base, factor] = known
  const [scale, prefix] = prefixFor((like ?? value) * factor)
  const scaled = (value * factor) / scale
  return { number: digitsOf(scaled, scale), unit: prefix + base }
}

function prefixFor(value: number): readonly [scale: number, prefix: string] {
  // What is rounded up to 1000 is written with the next prefix.
  return PREFIXES.find(([least]) => Math.abs(value) >= least * 0.99995) ?? [1, '']
}

/** As many decimals as one reads; the same for values beside each other, so that none jumps. */
function digitsOf(value: number, scale: number): string {
  const size = Math.abs(value)
  if (size >= 1_000 || size === 0) return fixed(value, 0)
  if (size >= 99.995) return fixed(value, 1)
  return fixed(value, size >= 9.995 && scale === 1 ? 1 : 2)
}

export function quantityText(value: number | null, unit: string, like = value): string {
  const parts = quantity(value, unit, like)
  return parts.unit === '' ? parts.number : `${parts.number} ${parts.unit}`
}

/** A register's reading, every digit of it: `4,732.119 kWh`. */
export function registerQuantity(value: number | null, unit: string): Quantity {
  const known = PREFIXED[unit]
  if (value === null || known?.[0] !== 'Wh') return quantity(value, unit)
  return { number: fixed((value * known[1]) / 1e3, 3), unit: 'kWh' }
}

/** Down to a tenth of a percent, so that 100 % is whole. */
export function percentText(share: number | null): string {
  if (share === null) return NOTHING
  const tenths = Math.floor(share * 1_000 + 1e-9) / 10
  return `${fixed(tenths, Number.isInteger(tenths) ? 0 : 1)} %`
}

/** `+45 %`, `−12 %`: how far above or below what was expected. */
export function changeText(percent: number | null): string {
  if (percent === null) return NOTHING
  return `${percent > 0 ? '+' : ''}${fixed(percent, Math.abs(percent) < 10 ? 1 : 0)} %`
}

export function countText(count: number): string {
  return fixed(count, 0)
}

/** A rate a second: `0.4`, `12.5`, `5,012`. */
export function rateText(perSecond: number): string {
  return fixed(perSecond, perSecond < 100 && !Number.isInteger(perSecond) ? 1 : 0)
}

/** A lag: `0.3 s`, `12 s`, `4.0 min`. */
export function lagQuantity(seconds: number | null): Quantity {
  if (seconds === null) return { number: NOTHING, unit: '' }
  if (seconds < 10) return { number: fixed(seconds, 1), unit: 's' }
  if (seconds < 120) return { number: fixed(seconds, 0), unit: 's' }
  if (seconds < 7_200) return { number: fixed(seconds / 60, 1), unit: 'min' }
  return { number: fixed(seconds / 3_600, 1), unit: 'h' }
}

export interface Scale {
  readonly texts: readonly string[]
  /** The unit of all of them, with its prefix. */
  readonly unit: string
}

/** The marks of an axis: one prefix and as many decimals as tell them apart. */
export function scaleOf(marks: readonly number[], unit: string): Scale {
  const largest = Math.max(...marks.map(Math.abs))
  const [base, factor] = PREFIXED[unit] ?? [PLAIN[unit] ?? unit, 1]
  const [scale, prefix] = unit in PREFIXED ? prefixFor(largest * factor) : ([1, ''] as const)
  const scaled = marks.map((mark) => (mark * factor) / scale)
  const step = Math.min(...scaled.slice(1).map((mark, i) => mark - scaled[i]!))
  const digits = Number.isFinite(step) ? decimalsFor(step) : 0
  return { texts: scaled.map((mark) => fixed(mark, digits)), unit: prefix + base }
}

function decimalsFor(step: number): number {
  for (let digits = 0; digits < 6; digits++) {
    const shifted = step * 10 ** digits
    if (Math.abs(shifted - Math.round(shifted)) < 1e-6 * shifted) return digits
  }
  return 6
}
