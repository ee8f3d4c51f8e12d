import type { RowBatch } from '../engine/sink.ts'
import { type Micros, systemClock } from '../kernel/time.ts'
import type { Registry } from '../registry/registry.ts'
import type { TableSpec } from '../schemas/tables.ts'
import { questdbSink } from './questdb.ts'
import { type Cell, type QuestdbSql, questdbSql, quoted } from './questdb-http.ts'
import { untilApplied } from './wal-watch.ts'

/**
 * The registry's meters and places in QuestDB, for analysts to join with. A mirrored thing has a
 * row for each time that something about it changed, and `ts` says since when it holds:
 *
 * - 1970 for the first row, so that as-of joins find it for history that came before it was known.
 * - now for a change, for a removal (`removed` is true), and for what comes back after one.
 */

type Fact = string | null

interface Mirrored {
  readonly spec: TableSpec
  /** Columns after ts that tell one thing from another. */
  readonly keys: readonly string[]
  /** Columns whose change makes a new row. */
  readonly facts: readonly string[]
}

/** A thing of the registry: its keys, then its facts, as `Mirrored` names them. */
type Thing = readonly Fact[]

const SINCE_EVER: Micros = 0

const METERS = mirrored('meters', ['tenant', 'meter_id'], ['location_id', 'kind', 'zone'])
const LOCATIONS = mirrored(
  'locations',
  ['tenant', 'location_id'],
  ['parent_id', 'kind', 'name', 'zone'],
)

function mirrored(table: string, keys: readonly string[], facts: readonly string[]): Mirrored {
  // The line protocol's symbols go into VARCHAR columns too, as `name` of locations is one.
  const texts = [...keys, ...facts].map((name) => ({ name, type: 'symbol' as const }))
  const columns: TableSpec['columns'] = [
    { name: 'ts', type: 'timestamp' },
    ...texts,
    { name: 'removed', type: 'boolean' },
    { name: 'version', type: 'long' },
  ]
  return { spec: { table, columns, keys: ['ts', ...keys], partitionBy: 'YEAR' }, keys, facts }
}

export interface MirrorOptions {
  readonly questdbUrl: string
  readonly prefix: string
  readonly registry: Registry
  /** By default the system's clock. */
  readonly nowMicros?: Micros
}

/**
 * Writes what has changed since the last mirroring, and nothing where nothing has. One process at a
 * time.
 *
 * @returns How many rows were added to each table.
 * @throws sinks.unavailable (retryable), sinks.badQuery, sinks.rowRefused.
 */
export async function mirrorRegistry(
  options: MirrorOptions,
): Promise<{ meters: number; locations: number }> {
  const { questdbUrl, prefix, registry } = options
  const nowMicros = options.nowMicros ?? systemClock.nowMicros()
  const sql = questdbSql(questdbUrl)
  const sink = questdbSink({ questdbUrl, prefix })
  const mirror = async (kind: Mirrored, things: readonly Thing[]): Promise<number> => {
    const table = `${prefix}${kind.spec.table}`
    const rows = changes(things, await heldBy(sql, table, kind), { kind, nowMicros })
    if (rows.length === 0) return 0
    await sink.write(batchOf(kind.spec, rows))
    // Who looks next, the next start among them, is to see these rows.
    await untilApplied(sql, table)
    return rows.length
  }
  try {
    return {
      meters: await mirror(METERS, metersOf(registry)),
      locations: await mirror(LOCATIONS, placesOf(registry)),
    }
  } finally {
    await sink.close()
  }
}

function metersOf(registry: Registry): readonly Thing[] {
  // The registry's files say no kind of a meter.
  return registry
    .meters()
    .map(({ tenant, meterId, place, zone }) => [tenant, meterId, place ?? null, null, zone])
}

/** A place has the zone of its meters, where they have one. */
function placesOf(registry: Registry): readonly Thing[] {
  const places = new Map<string, { tenant: string; place: string; zone: Fact }>()
  for (const { tenant, place, zone } of registry.meters()) {
    if (place === undefined) continue
    const key = keyOf([tenant, place])
    const known = places.get(key)
    if (known === undefined) places.set(key, { tenant, place, zone })
    else if (known.zone !== zone) known.zone = null
  }
  return [...places.values()].map(({ tenant, place, zone }) => {
    return [tenant, place, null, null, place, zone]
  })
}

interface Held {
  readonly thing: Thing
  readonly removed: boolean
  readonly version: number
}

interface Row extends Held {
  readonly ts: Micros
}

const keyOf = (keys: readonly Fact[]): string => JSON.stringify(keys)

/** What the table says of each thing now, by its keys. */
async function heldBy(
  sql: QuestdbSql,
  table: string,
  { keys, facts }: Mirrored,
): Promise<ReadonlyMap<string, Held>> {
  const columns = [...keys, ...facts]
  const rows = await sql.rows(
    `select ${columns.join()}, removed, version from ${quoted(table)} ` +
      `latest on ts partition by ${keys.join()}`,
  )
  return new Map(
    rows.map((cells: readonly Cell[]) => {
      const thing = cells.slice(0, columns.length) as Fact[]
      const removed = cells[columns.length] === true
      const version = Number(cells[columns.length + 1])
      return [keyOf(thing.slice(0, keys.length)), { thing, removed, version }]
    }),
  )
}

function changes(
  things: readonly Thing[],
  held: ReadonlyMap<string, Held>,
  { kind, nowMicros }: { kind: Mirrored; nowMicros: Micros },
): readonly Row[] {
  const rows: Row[] = []
  const gone = new Map(held)
  for (const thing of things) {
    const key = keyOf(thing.slice(0, kind.keys.length))
    gone.delete(key)
    const known = held.get(key)
    if (known === undefined) {
      rows.push({ ts: SINCE_EVER, thing, removed: false, version: 1 })
    } else if (known.removed || known.thing.some((fact, i) => fact !== thing[i])) {
      rows.push({ ts: nowMicros, thing, removed: false, version: known.version + 1 })
    }
  }
  for (const { thing, removed, version } of gone.values()) {
    if (!removed) rows.push({ ts: nowMicros, thing, removed: true, version: version + 1 })
  }
  return rows
}

function batchOf(spec: TableSpec, rows: readonly Row[]): RowBatch {
  const texts = spec.columns
    .slice(1, -2)
    .map((_, i) => rows.map(({ thing }) => thing[i] ?? undefined))
  return {
    spec,
    count: rows.length,
    columns: [
      Float64Array.from(rows, ({ ts }) => ts),
      ...texts,
      Uint8Array.from(rows, ({ removed }) => Number(removed)),
      Float64Array.from(rows, ({ version }) => version),
    ],
  }
}
