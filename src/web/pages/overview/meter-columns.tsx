import type { MeterRow } from '../../data/fleet-rows.ts'
import { Ago } from '../../parts/ago.tsx'
import { Amount, Completeness } from '../../parts/quantity.tsx'
import type { Column } from '../../parts/virtual-table.tsx'
import { Link, meterHref } from '../../shell/router.tsx'
import { channelName } from '../../text/names.ts'
import { quantity, registerQuantity } from '../../text/numbers.ts'

/** The columns of the list of meters: who, where, the channels that most of them have, how well. */
export function columnsOf(channels: readonly string[]): Column<MeterRow>[] {
  return [
    { key: 'meter', name: 'Meter', sorts: true, class: 'grow', cell: (row) => <Name row={row} /> },
    {
      key: 'place',
      name: 'Place',
      sorts: true,
      class: 'wide grow',
      cell: ({ item }) => item.place ?? <span class="muted">–</span>,
    },
    ...channels.map((channel, index) => ({
      key: `channel:${channel}`,
      name: channelName(channel),
      sorts: true,
      // On a narrow screen the first of them is what one wants to see.
      class: index === 0 ? 'right' : 'right wide',
      cell: (row: MeterRow) => <Latest row={row} channel={channel} />,
    })),
    {
      key: 'last',
      name: 'Last reading',
      sorts: true,
      class: 'right',
      cell: (row) => <Last row={row} />,
    },
    {
      key: 'completeness',
      name: 'Complete, 24 h',
      sorts: true,
      class: 'wide',
      cell: ({ item }) => <Completeness share={item.completeness24h} />,
    },
  ]
}

function Name({ row }: { readonly row: MeterRow }) {
  const state = row.lastMs.value === null ? 'never' : row.isSilent.value ? 'silent' : 'reporting'
  const said = { never: 'never seen', silent: 'silent', reporting: 'reporting' }[state]
  return (
    <span class="meter-name">
      <span class={`state-dot ${state}`} title={said} aria-hidden="true" />
      <Link href={meterHref(row.item.meterId)} class="row-link">
        {row.item.meterId}
        <span class="visually-hidden">, {said}</span>
      </Link>
      {state === 'reporting' ? null : <span class={`tag ${state}`}>{said}</span>}
    </span>
  )
}

function Latest({ row, channel }: { readonly row: MeterRow; readonly channel: string }) {
  const latest = row.latest.get(channel)?.value
  if (latest === undefined) return <span class="muted">–</span>
  const { value, unit, kind, quality } = latest
  const shown = kind === 'cumulative' ? registerQuantity(value, unit) : quantity(value, unit)
  return (
    <span class={quality === 'BAD' ? 'muted' : ''} title={quality === 'BAD' ? 'Bad quality' : ''}>
      <Amount of={shown} />
    </span>
  )
}

function Last({ row }: { readonly row: MeterRow }) {
  const lastMs = row.lastMs.value
  if (lastMs === null) return <span class="muted">–</span>
  return <Ago at={lastMs} zone={row.item.zone} />
}
