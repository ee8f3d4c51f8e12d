import { Amount } from '../../parts/quantity.tsx'
import type { Column } from '../../parts/virtual-table.tsx'
import { serverNowMs } from '../../rest/ask.ts'
import { quantity } from '../../text/numbers.ts'
import { fullTime } from '../../text/times.ts'

export interface Point {
  /** ms UTC */
  readonly at: number
  readonly value: number
}

export function pointColumns(zone: string, unit: string): Column<Point>[] {
  return [
    {
      key: 'time',
      name: 'Time, local',
      cell: ({ at }) => (
        <time dateTime={new Date(at).toISOString()}>
          {fullTime(Math.round(at), zone, serverNowMs())}
        </time>
      ),
    },
    {
      key: 'value',
      name: 'Value',
      class: 'right',
      cell: ({ value }) => <Amount of={quantity(value, unit)} />,
    },
  ]
}
