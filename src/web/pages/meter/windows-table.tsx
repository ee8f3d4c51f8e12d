import { useMemo, useState } from 'preact/hooks'
import type { WindowItem } from '../../../api/contract/items.ts'
import { Revisions } from '../../chart/revisions.ts'
import { Amount, Completeness } from '../../parts/quantity.tsx'
import { Empty, Loading, ProblemBox } from '../../parts/states.tsx'
import { useLive } from '../../parts/use-live.ts'
import { useQuery } from '../../parts/use-query.ts'
import { type Column, VirtualTable } from '../../parts/virtual-table.tsx'
import { type Page, ask } from '../../rest/ask.ts'
import { widthName } from '../../text/names.ts'
import { quantity } from '../../text/numbers.ts'
import { spanText, timeText } from '../../text/times.ts'
import type { TablesProps } from './data-tables.tsx'

/** The widths that are stored as rows. */
const WIDTHS = ['1m', '15m', '1h'] as const
const MOST = 1_000
const MINUTE_MS = 60_000

/** The windows of the time that is shown, of the width that is charted or else of a quarter. */
export function WindowsTable(props: TablesProps) {
  const { meterId, channel, picture, view, zone, unit } = props
  const charted = WIDTHS.find((one) => one === picture.width)
  const [chosen, setChosen] = useState<string | undefined>()
  const width = chosen ?? charted ?? '15m'
  // By whole minutes, so that a live view does not ask anew each second.
  const from = Math.floor(view.from / MINUTE_MS) * MINUTE_MS
  const to = Math.ceil(view.to / MINUTE_MS) * MINUTE_MS
  const key = JSON.stringify([meterId, channel, width, from, view.isLive ? 0 : to])
  const live = useMemo(() => new Revisions<WindowItem>(), [meterId, channel, width])
  const [version, setVersion] = useState(0)
  const { data, problem, isLoading, retry } = useQuery(
    key,
    (signal) =>
      ask<Page<WindowItem>>(
        '/api/windows',
        {
          ...{ meterId, channel, width, order: 'desc', limit: MOST },
          from: new Date(Math.max(0, from)).toISOString(),
          to: new Date(to).toISOString(),
        },
        signal,
      ),
    { keep: true },
  )
  useLive(
    { topic: 'windows', mode: 'every', meters: [meterId], channels: [channel], widths: [width] },
    { items: (items) => live.add(items) > 0 && setVersion((before) => before + 1) },
  )
  const rows = useMemo(() => {
    live.add((data?.items ?? []).filter((item) => item.width === width))
    return live.items
      .filter(({ start }) => {
        const at = Date.parse(start)
        return at >= from && at < to
      })
      .toReversed()
  }, [data, live, version, from, to])
  const columns = useMemo(() => columnsOf(zone, unit, picture.isBars), [zone, unit, picture.isBars])
  return (
    <>
      {problem === undefined ? null : <ProblemBox problem={problem} retry={retry} slim />}
      <label class="select table-option">
        <span class="select-name">Windows of</span>
        <select value={width} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
          {WIDTHS.map((one) => (
            <option key={one} value={one}>
              {widthName(one)}
            </option>
          ))}
        </select>
      </label>
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
        {data?.next == null
          ? 'Windows are [start, end), aligned in UTC and told in local time.'
          : `The newest ${MOST} are listed: zoom in for the others.`}
      </p>
    </>
  )
}

function columnsOf(zone: string, unit: string, isEnergy: boolean): Column<WindowItem>[] {
  const amount = (name: string, value: (item: WindowItem) => number | null, wide = true) => ({
    ...{ key: name, name, class: wide ? 'right wide' : 'right' },
    cell: (item: WindowItem) => <Amount of={quantity(value(item), unit)} />,
  })
  return [
    {
      key: 'time',
      name: 'Window, local',
      cell: ({ start, end }) => {
        const [from, to] = [Date.parse(start), Date.parse(end)]
        return (
          <>
            {timeText(from, zone, 'day')} {spanText(from, to, zone)}
          </>
        )
      },
    },
    ...(isEnergy
      ? [
          {
            key: 'energy',
            name: 'Energy',
            class: 'right',
            cell: ({ energyWh, estimated }: WindowItem) => (
              <>
                {estimated ? <span class="tag">estimated</span> : null}{' '}
                <Amount of={quantity(energyWh, 'Wh')} />
              </>
            ),
          },
        ]
      : [
          amount('Mean', ({ mean }) => mean, false),
          amount('Least', ({ min }) => min),
          amount('Greatest', ({ max }) => max),
        ]),
    {
      key: 'count',
      name: 'Readings',
      class: 'right wide',
      cell: ({ count, expected }) => (
        <>
          {count}
          {expected === null ? null : <span class="muted"> of {Math.round(expected)}</span>}
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
