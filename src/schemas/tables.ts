/**
 * The QuestDB tables as the engine fills them. `infra/questdb/*.sql` creates them, and the sink
 * asserts at start that both agree. The designated timestamp `ts` is microseconds UTC and always
 * the first column.
 */
export type ColumnType = 'timestamp' | 'symbol' | 'double' | 'long' | 'boolean'

export interface ColumnSpec {
  readonly name: string
  readonly type: ColumnType
}

export interface TableSpec {
  readonly table: string
  readonly columns: readonly ColumnSpec[]
  /** DEDUP UPSERT KEYS: a row with the same values here replaces the earlier one. */
  readonly keys: readonly string[]
  readonly partitionBy: 'DAY' | 'MONTH' | 'YEAR'
}

type Shape = Readonly<Record<string, ColumnType>>

function table<const S extends Shape>(
  name: string,
  shape: S,
  keys: readonly (keyof S & string)[],
  partitionBy: TableSpec['partitionBy'] = 'DAY',
) {
  const columns = Object.entries(shape).map(([column, type]) => ({ name: column, type }))
  return Object.freeze({ table: name, columns, keys, partitionBy, shape })
}

const series = { ts: 'timestamp', tenant: 'symbol', meter_id: 'symbol', channel: 'symbol' } as const

export const TABLES = {
  readings: table('readings', { ...series, value: 'double', quality: 'symbol', seq: 'long' }, [
    'ts',
    'tenant',
    'meter_id',
    'channel',
  ]),
  windows: table(
    'windows',
    {
      ...series,
      width: 'symbol',
      count: 'long',
      expected: 'double',
      completeness: 'double',
      sum: 'double',
      min: 'double',
      max: 'double',
      mean: 'double',
      first: 'double',
      last: 'double',
      stddev: 'double',
      energy_wh: 'double',
      estimated: 'boolean',
      revision: 'long',
    },
    ['ts', 'tenant', 'meter_id', 'channel', 'width'],
  ),
  baselines: table(
    'baselines',
    {
      ...series,
      width: 'symbol',
      kind: 'symbol',
      centre: 'double',
      lower: 'double',
      upper: 'double',
      n: 'long',
      revision: 'long',
    },
    ['ts', 'tenant', 'meter_id', 'channel', 'width', 'kind'],
  ),
  anomalies: table(
    'anomalies',
    {
      ...series,
      width: 'symbol',
      kind: 'symbol',
      score: 'double',
      pct_change: 'double',
      expected: 'double',
      lower: 'double',
      upper: 'double',
      value: 'double',
      severity: 'symbol',
      state: 'symbol',
      run: 'long',
      revision: 'long',
    },
    ['ts', 'tenant', 'meter_id', 'channel', 'width', 'kind'],
  ),
  totals: table(
    'totals',
    {
      ts: 'timestamp',
      tenant: 'symbol',
      scope: 'symbol',
      scope_id: 'symbol',
      channel: 'symbol',
      width: 'symbol',
      sum: 'double',
      mean: 'double',
      energy_wh: 'double',
      reporting: 'long',
      expected: 'long',
      final: 'boolean',
      revision: 'long',
    },
    ['ts', 'tenant', 'scope', 'scope_id', 'channel', 'width'],
    'MONTH',
  ),
} as const

export type TableName = keyof typeof TABLES
