import { useMemo, useState } from 'preact/hooks'
import { HELD_WIDTHS } from '../../chart/resolution.ts'
import { Segmented } from '../../parts/segmented.tsx'
import { Empty } from '../../parts/states.tsx'
import { VirtualTable } from '../../parts/virtual-table.tsx'
import { ANOMALY_COLUMNS } from '../anomalies/columns.tsx'
import { anomalyKey } from '../../data/anomaly-list.ts'
import { widthName } from '../../text/names.ts'
import type { TableProps } from './table-props.ts'
import { type Point, pointColumns } from './point-columns.tsx'
import { WindowsTable } from './windows-table.tsx'

const TABLES = [
  { value: 'windows', name: 'Windows' },
  { value: 'points', name: 'Points of the chart' },
  { value: 'anomalies', name: 'Anomalies' },
] as const

/** What the chart shows, in words and numbers. */
export function DataTables(props: TableProps) {
  const [table, setTable] = useState<(typeof TABLES)[number]['value']>('windows')
  const [chosen, setChosen] = useState<string | undefined>()
  // Of the width that is charted, unless another one is chosen.
  const width = chosen ?? HELD_WIDTHS.find((one) => one === props.picture.width) ?? '15m'
  return (
    <section class="panel data-tables" aria-label="Values of the chart">
      <div class="toolbar">
        <h2>Values</h2>
        {table === 'windows' ? (
          <label class="select">
            <span class="select-name">Windows of</span>
            <select value={width} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
              {HELD_WIDTHS.map((one) => (
                <option key={one} value={one}>
                  {widthName(one)}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        <Segmented label="Table" options={TABLES} value={table} onChange={setTable} />
      </div>
      {table === 'windows' ? <WindowsTable {...props} width={width} /> : null}
      {table === 'points' ? <Points {...props} /> : null}
      {table === 'anomalies' ? <Anomalies {...props} /> : null}
    </section>
  )
}

/** Newest first, so that what comes is seen without scrolling. */
function Points({ picture, view, zone, unit }: TableProps) {
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

function Anomalies({ picture, view }: TableProps) {
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
