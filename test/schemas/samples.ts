import fc from 'fast-check'
import type { Reading, Records } from '../../src/schemas/records.ts'

/** Records to test with: arbitrary readings, and one full example of each record. */

const LONG_MAX = Number.MAX_SAFE_INTEGER - 1
const long = fc.integer({ min: -LONG_MAX, max: LONG_MAX })
const text = fc.string({ unit: 'binary', maxLength: 24 })

export const readings: fc.Arbitrary<Reading> = fc.record({
  tenant: text,
  meterId: text,
  at: fc.oneof(long, fc.integer({ min: -200, max: 200 })),
  seq: fc.option(long),
  measurements: fc.array(
    fc.record({
      channel: text,
      value: fc.double(),
      quality: fc.constantFrom('MEASURED', 'ESTIMATED', 'SUSPECT', 'BAD'),
    }),
    { maxLength: 5 },
  ),
})

/** avsc's records have classes of their own; as plain objects they compare. */
export function plain<T>(value: T): T {
  if (Array.isArray(value)) return value.map(plain) as T
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)])) as T
}

const series = { tenant: 'demo', meterId: 'm-1', channel: 'power_w' }
const span = { start: 1_763_424_000_000_000, end: 1_763_424_900_000_000 }

export const EXAMPLES: Readonly<Records> = {
  reading: {
    tenant: 'demo',
    meterId: 'Zähler 1',
    at: span.start,
    seq: 7,
    measurements: [
      { channel: 'power_w', value: 512.5, quality: 'MEASURED' },
      { channel: 'voltage_v', value: 230.1, quality: 'BAD' },
    ],
  },
  'bench-window': {
    ...series,
    ...span,
    count: 3,
    sum: 6,
    min: 1,
    max: 3,
    mean: 2,
    first: 1,
    last: 3,
    baselineMedian: null,
    baselineMad: 0.5,
    spike: true,
    consecutive: 2,
  },
  window: {
    ...series,
    ...span,
    width: '15m',
    count: 0,
    expected: 15,
    completeness: 0,
    sum: null,
    min: null,
    max: null,
    mean: null,
    first: null,
    last: null,
    stddev: null,
    energyWh: 12.25,
    estimated: true,
    revision: 511 * 2 ** 44 + 9,
  },
  anomaly: {
    ...series,
    ...span,
    width: '15m',
    kind: 'energy_spike',
    score: 0.75,
    pctChange: null,
    expected: 100,
    lower: 90,
    upper: 110,
    value: 300,
    severity: 'high',
    state: 'active',
    run: 1,
    revision: 12,
  },
  control: { kind: 'tick', source: 'bridge-1', table: null, offset: null, body: Buffer.from('x') },
  'dead-letter': {
    receivedAt: span.start,
    source: 'listener',
    mqttTopic: 'fleet/demo/m-1/readings',
    clientId: 'c',
    tenant: null,
    meterId: 'm-1',
    reason: 'formats.notJson',
    detail: 'no JSON',
    element: 3,
    length: 70_000,
    sha256: 'ab'.repeat(32),
    bytes: Buffer.alloc(65_536, 7),
  },
  contribution: {
    ...series,
    kind: 'pane',
    place: null,
    width: '1h',
    start: span.start,
    value: 12.5,
    energyWh: null,
    appended: 1_763_424_000_123,
  },
  'repair-request': {
    tenant: 'demo',
    meterId: 'm-1',
    from: span.start,
    to: span.end,
    partition: 2,
    offset: 77,
    channel: 'power_w',
    width: '1d',
  },
  'repair-result': {
    ...series,
    basis: 77,
    windows: [
      {
        width: '15m',
        start: span.start,
        count: 2,
        sum: 3,
        min: 1,
        max: 2,
        first: 1,
        last: 2,
        stddev: 0.5,
        energyWh: null,
        estimated: false,
      },
    ],
  },
}
