import { useMemo, useState } from 'preact/hooks'
import type { Picture } from '../../chart/compose.ts'
import type { WidthChoice } from '../../chart/resolution.ts'
import type { View } from '../../chart/view.ts'
import { Segmented } from '../../parts/segmented.tsx'
import { Empty } from '../../parts/states.tsx'
import { VirtualTable } from '../../parts/virtual-table.tsx'
import { ANOMALY_COLUMNS } from '../anomalies/columns.tsx'
import { anomalyKey } from '../../data/anomaly-list.ts'
import { type Point, pointColumns } from './point-columns.tsx'
import { WindowsTable } from './windows-table.tsx'

const TABLES = [
  { value: 'windows', name: 'Windows' },
  { value: 'points', name: 'Points of the chart' },
  { value: 'anomalies', name: 'Anomalies' },
] as const

export interface TablesProps {
  readonly meterId: string
  readonly channel: string
  readonly zone: string
  readonly unit: string
  readonly picture: Picture
  readonly view: View
  readonly choice: WidthChoice
}

/** What the chart shows, in words and numbers. */
export function DataTables(props: TablesProps) {
  const [table, setTable] = useState<(typeof TABLES)[number]['value']>('windows')
  return (
    <section class="panel data-tables" aria-label="Values of the chart">
      <div class="toolbar">
        <h2>Values</h2>
        <Segmented label="Table" options={TABLES} value={table} onChange={setTable} />
      </div>
      {table === 'windows' ? <WindowsTable {...props} /> : null}
      {table === 'points' ? <Points {...props} /> : null}
      {table === 'anomalies' ? <Anomalies {...props} /> : null}
    </section>
  )
}

/** Newest first, so that what comes is seen without scrolling. */
function Points({ picture, view, zone, unit }: TablesProps) {
  const rows = useMemo(() => {
    const found: Point[] = []
    for (const { x, y } of [picture.line, picture.tail]) {
      x.forEach((at, i) => {
        const value = y[i] ?? null
        if (value !== null && at >= view.from && at <= view.to) found.push({ at, value })
      })
    }
    return found.reverse()
  }, [picture, view.from, view.to])
  const columns = useMemo(() => pointColumns(zone, unit), [zone, unit])
  return (
    <VirtualTable
      label="Points of the chart, a table"
      rows={rows}
      rowKey={({ at }) => String(at)}
      columns={columns}
      rowHeight={34}
      empty={<Empty title="No points in the time shown" />}
    />
  )
}

function Anomalies({ picture, view }: TablesProps) {
  const rows = useMemo(
    () =>
      picture.marks
        .filter(({ from, to }) => to >= view.from && from <= view.to)
        .map(({ item }) => item)
        .reverse(),
    [picture, view.from, view.to],
  )
  const columns = ANOMALY_COLUMNS.filter(({ key }) => key !== 'channel')
  return (
    <VirtualTable
      label="Anomalies in the time shown, a table"
      rows={rows}
      rowKey={anomalyKey}
      columns={columns}
      rowHeight={34}
      empty={<Empty title="No anomalies in the time shown" />}
    />
  )
}
