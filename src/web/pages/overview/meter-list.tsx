import { useMemo, useState } from 'preact/hooks'
import {
  type MeterRow,
  type RowOrder,
  applyReadings,
  commonChannels,
  sortedRows,
} from '../../data/fleet-rows.ts'
import { Segmented } from '../../parts/segmented.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Empty, Loading, ProblemBox } from '../../parts/states.tsx'
import { useLive } from '../../parts/use-live.ts'
import { type Sorting, VirtualTable } from '../../parts/virtual-table.tsx'
import { countText } from '../../text/numbers.ts'
import { exampleOf } from '../../text/example.ts'
import { columnsOf } from './meter-columns.tsx'
import { type Filter, STATES, useMeters } from './use-meters.ts'

const CHANNELS_SHOWN = 3
/** The feed is asked for the meters in sight alone; it takes at most so many names. */
const NAMES_MAX = 1_000

const NO_FILTER: Filter = { search: '', place: '', state: 'all' }

export function MeterList() {
  const [filter, setFilter] = useState(NO_FILTER)
  const [sorting, setSorting] = useState<Sorting>({ key: 'meter', isDescending: false })
  const [seen, setSeen] = useState<readonly MeterRow[]>([])
  const meters = useMeters(filter)
  const channels = useMemo(
    () =>
      commonChannels(
        meters.rows.map(({ item }) => item),
        CHANNELS_SHOWN,
      ),
    [meters.rows],
  )
  const rows = useMemo(
    () => sortedRows(meters.rows, sorting.key as RowOrder, sorting.isDescending),
    [meters.rows, sorting],
  )
  const names = seen.slice(0, NAMES_MAX).map(({ item }) => item.meterId)
  useLive(names.length === 0 ? undefined : { topic: 'readings', mode: 'latest', meters: names }, {
    items: (items) => applyReadings(meters.byId, items),
  })
  const onSort = (key: string) =>
    setSorting({ key, isDescending: sorting.key === key && !sorting.isDescending })
  return (
    <section class="panel meter-list" aria-label="Meters">
      <Toolbar filter={filter} places={meters.places} onChange={setFilter} />
      {meters.problem === undefined ? null : (
        <ProblemBox problem={meters.problem} retry={meters.retry} slim={rows.length > 0} />
      )}
      {meters.problem !== undefined && rows.length === 0 ? null : meters.isFirst ? (
        <Loading label="Meters are being asked for" height="100%" />
      ) : (
        <VirtualTable
          label="Meters, a table"
          rows={rows}
          rowKey={({ item }) => item.meterId}
          columns={columnsOf(channels)}
          sorting={sorting}
          onSort={onSort}
          onNearEnd={meters.more}
          onSeen={setSeen}
          empty={
            meters.problem === undefined ? (
              <NoMeters isFiltered={filter !== NO_FILTER} clear={() => setFilter(NO_FILTER)} />
            ) : null
          }
        />
      )}
      <p class="panel-foot muted">
        {meters.hasMore
          ? `The first ${countText(rows.length)} meters, and more below; sorted among these`
          : `${countText(rows.length)} ${rows.length === 1 ? 'meter' : 'meters'}`}
      </p>
    </section>
  )
}

interface ToolbarProps {
  readonly filter: Filter
  readonly places: readonly string[]
  readonly onChange: (filter: Filter) => void
}

function Toolbar({ filter, places, onChange }: ToolbarProps) {
  return (
    <div class="toolbar">
      <h2>Meters</h2>
      <label class="search">
        <span class="visually-hidden">Search meters by id or place</span>
        <Icon name="search" />
        <input
          type="search"
          placeholder="Meter or place"
          value={filter.search}
          onInput={({ currentTarget }) => onChange({ ...filter, search: currentTarget.value })}
        />
      </label>
      <label class="select">
        <span class="visually-hidden">Place</span>
        <select
          value={filter.place}
          onChange={({ currentTarget }) => onChange({ ...filter, place: currentTarget.value })}
        >
          <option value="">All places</option>
          {places.map((place) => (
            <option key={place} value={place}>
              {place}
            </option>
          ))}
        </select>
      </label>
      <Segmented
        label="State"
        options={STATES}
        value={filter.state}
        onChange={(state) => onChange({ ...filter, state })}
      />
    </div>
  )
}

function NoMeters({
  isFiltered,
  clear,
}: {
  readonly isFiltered: boolean
  readonly clear: () => void
}) {
  if (isFiltered) {
    return (
      <Empty title="No meter fits">
        <button type="button" class="button" onClick={clear}>
          Show all meters
        </button>
      </Empty>
    )
  }
  return (
    <Empty title="No meter was seen yet">
      <p>Publish a reading, and its meter appears here:</p>
      <pre>{exampleOf('meter-1')}</pre>
    </Empty>
  )
}
