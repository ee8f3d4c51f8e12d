import { useMemo } from 'preact/hooks'
import type { WindowItem } from '../../../api/contract/items.ts'
import { Amount, Completeness } from '../../parts/quantity.tsx'
import { Empty, Loading, ProblemBox } from '../../parts/states.tsx'
import { type Column, VirtualTable } from '../../parts/virtual-table.tsx'
import { widthName } from '../../text/names.ts'
import { countText, quantity } from '../../text/numbers.ts'
import { spanText, timeText } from '../../text/times.ts'
import type { TableProps } from './table-props.ts'
import { WINDOWS_MAX, useWindows } from './use-windows.ts'

/** The windows of the time that is shown. */
export function WindowsTable(props: TableProps & { readonly width: string }) {
  const { picture, zone, unit, width } = props
  const { rows, problem, isLoading, hasMore, retry } = useWindows(props, width)
  const columns = useMemo(() => columnsOf(zone, unit, picture.isBars), [zone, unit, picture.isBars])
  return (
    <>
      {problem === undefined ? null : <ProblemBox problem={problem} retry={retry} slim />}
      {isLoading && rows.length === 0 ? (
        <Loading label="Windows are being asked for" height="100%" />
      ) : (
        <VirtualTable
          label={`Windows of ${widthName(width)}, a table`}
          rows={rows}
          rowKey={({ start }) => start}
          columns={columns}
          rowHeight={34}
          empty={
            <Empty title="No window has closed in the time shown">
              <p>
                A window closes about two minutes after its end, when no reading of it is awaited.
              </p>
            </Empty>
          }
        />
      )}
      <p class="panel-foot muted">
        {hasMore
          ? `The newest ${countText(WINDOWS_MAX)} are listed: zoom in for the others.`
          : 'Windows are aligned in UTC, told in local time, and begin where the one before ends.'}
      </p>
    </>
  )
}

function columnsOf(zone: string, unit: string, isEnergy: boolean): Column<WindowItem>[] {
  return [
    {
      key: 'time',
      name: 'Window, local',
      cell: ({ start, end }) => {
        const [from, to] = [Date.parse(start), Date.parse(end)]
        return `${timeText(from, zone, 'day')} ${spanText(from, to, zone)}`
      },
    },
    ...(isEnergy ? [ENERGY] : valueColumns(unit)),
    {
      key: 'count',
      name: 'Readings',
      class: 'right wide',
      cell: ({ count, expected }) => (
        <>
          {countText(count)}
          {expected === null ? null : (
            <span class="muted"> of {countText(Math.round(expected))}</span>
          )}
        </>
      ),
    },
    {
      key: 'completeness',
      name: 'Complete',
      cell: ({ completeness }) => <Completeness share={completeness} />,
    },
  ]
}

const ENERGY: Column<WindowItem> = {
  key: 'energy',
  name: 'Energy',
  class: 'right',
  cell: ({ energyWh, estimated }) => (
    <>
      {estimated ? <span class="tag">estimated</span> : null}{' '}
      <Amount of={quantity(energyWh, 'Wh')} />
    </>
  ),
}

function valueColumns(unit: string): Column<WindowItem>[] {
  const column = (name: string, valueOf: (item: WindowItem) => number | null, wide = ' wide') => ({
    ...{ key: name, name, class: `right${wide}` },
    cell: (item: WindowItem) => <Amount of={quantity(valueOf(item), unit)} />,
  })
  return [
    column('Mean', ({ mean }) => mean, ''),
    column('Least', ({ min }) => min),
    column('Greatest', ({ max }) => max),
  ]
}
