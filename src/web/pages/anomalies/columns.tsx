import type { AnomalyItem } from '../../../api/contract/items.ts'
import { Ago } from '../../parts/ago.tsx'
import { AnomalyLink, AnomalyTime, Severity, unitOf, zoneOf } from '../../parts/anomaly.tsx'
import { Amount } from '../../parts/quantity.tsx'
import type { Column } from '../../parts/virtual-table.tsx'
import { channelName, kindName } from '../../text/names.ts'
import { changeText, quantity } from '../../text/numbers.ts'

export const ANOMALY_COLUMNS: readonly Column<AnomalyItem>[] = [
  {
    key: 'severity',
    name: 'Severity',
    class: 'tight severity-column',
    cell: (item) => <Severity item={item} />,
  },
  { key: 'meter', name: 'Meter', cell: (item) => <AnomalyLink item={item} /> },
  { key: 'kind', name: 'Kind', class: 'wide', cell: (item) => <Kind item={item} /> },
  {
    key: 'channel',
    name: 'Channel',
    class: 'wide',
    cell: ({ channel }) => channelName(channel),
  },
  {
    key: 'change',
    name: 'Change',
    class: 'right',
    cell: ({ pctChange }) => <strong class="change">{changeText(pctChange)}</strong>,
  },
  {
    key: 'value',
    name: 'Seen',
    class: 'right wide',
    cell: (item) => <Amount of={quantity(item.value, unitOf(item))} />,
  },
  {
    key: 'expected',
    name: 'Expected',
    class: 'right wide',
    cell: (item) => <Amount of={quantity(item.expected, unitOf(item))} />,
  },
  {
    key: 'time',
    name: 'Window, local',
    class: 'wide',
    cell: (item) => <AnomalyTime item={item} />,
  },
  {
    key: 'ago',
    name: 'Ended',
    class: 'right tight',
    cell: (item) => <Ago at={Date.parse(item.end)} zone={zoneOf(item.meterId)} />,
  },
]

function Kind({ item: { kind, run } }: { readonly item: AnomalyItem }) {
  if (kind !== 'consecutive_anomalies') return <>{kindName(kind)}</>
  return (
    <>
      {kindName(kind)} <span class="muted">({run})</span>
    </>
  )
}
