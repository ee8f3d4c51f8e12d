import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { AnomalyItem } from '../../api/contract/items.ts'
import { type AnomalyFilter, AnomalyList, anomalyKey, fits } from '../data/anomaly-list.ts'
import { Icon } from '../parts/icons.tsx'
import { Empty, Loading, ProblemBox } from '../parts/states.tsx'
import { useLive } from '../parts/use-live.ts'
import { VirtualTable } from '../parts/virtual-table.tsx'
import { amend, place } from '../shell/router.tsx'
import { countText } from '../text/numbers.ts'
import { ANOMALY_COLUMNS } from './anomalies/columns.tsx'
import { Filters } from './anomalies/filters.tsx'
import { useHistory } from './anomalies/use-history.ts'

/** A fleet that catches up has thousands of verdicts a second: the list is sorted this often. */
const SHOW_EVERY_MS = 200

function filterOf({ searchParams }: URL): AnomalyFilter {
  const get = (name: string) => searchParams.get(name) ?? ''
  return { kind: get('kind'), severity: get('severity'), meterId: get('meter') }
}

const isNone = ({ kind, severity, meterId }: AnomalyFilter) => kind + severity + meterId === ''

/** Every verdict as it comes, and all that came before. */
export function AnomaliesPage() {
  const [filter, setFilter] = useState(() => filterOf(place.value))
  const list = useRef(new AnomalyList()).current
  const [version, setVersion] = useState(0)
  const show = () => setVersion((before) => before + 1)
  const changed = useThrottled(show, SHOW_EVERY_MS)
  const history = useHistory(filter, list, show)
  const { waiting, takeWaiting, setAtTop } = useIncoming(filter, list, changed, history.refresh)
  useEffect(() => {
    amend({ kind: filter.kind, severity: filter.severity, meter: filter.meterId })
    takeWaiting()
  }, [filter])
  const rows = useMemo(
    () => list.newestFirst().filter((item) => fits(item, filter)),
    [version, filter],
  )
  return (
    <div class="page fill">
      <section class="panel anomalies" aria-label="Anomalies">
        <div class="toolbar">
          <h1>Anomalies</h1>
          <Filters filter={filter} onChange={setFilter} />
        </div>
        {history.problem === undefined ? null : (
          <ProblemBox problem={history.problem} retry={history.retry} slim={rows.length > 0} />
        )}
        <Incoming count={waiting} show={takeWaiting} />
        {history.isLoading && rows.length === 0 ? (
          <Loading label="Anomalies are being asked for" height="100%" />
        ) : (
          <VirtualTable
            label="Anomalies, a table"
            rows={rows}
            rowKey={anomalyKey}
            rowClass={({ state }) => state}
            columns={ANOMALY_COLUMNS}
            onNearEnd={history.more}
            onScrolled={setAtTop}
            empty={
              history.problem === undefined ? (
                <NoAnomalies
                  isFiltered={!isNone(filter)}
                  clear={() => setFilter({ kind: '', severity: '', meterId: '' })}
                />
              ) : null
            }
          />
        )}
        <p class="panel-foot muted">
          {countText(rows.length)} {rows.length === 1 ? 'anomaly' : 'anomalies'}
          {history.hasMore ? ', and older ones below' : ''}. What no longer holds is withdrawn.
        </p>
      </section>
    </div>
  )
}

/** At most once in so many ms, and always once at last. */
function useThrottled(work: () => void, everyMs: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      work()
    }, everyMs)
  }
}

/**
 * What comes is listed at once while the top of the list is seen, and waits while somebody reads
 * further down: nothing moves under their eyes.
 */
function useIncoming(
  filter: AnomalyFilter,
  list: AnomalyList,
  changed: () => void,
  refresh: () => void,
) {
  const held = useRef<AnomalyItem[]>([])
  const isAtTop = useRef(true)
  const [waiting, setWaiting] = useState(0)
  const takeWaiting = () => {
    list.add(held.current)
    held.current = []
    setWaiting(0)
    changed()
    document.querySelector('.anomalies .table-box')?.scrollTo({ top: 0 })
  }
  useLive(
    { topic: 'anomalies', mode: 'every' },
    {
      items: (items) => {
        const wanted = items.filter((item) => fits(item, filter))
        if (isAtTop.current) list.add(wanted)
        else held.current.push(...wanted)
        setWaiting(held.current.length)
        changed()
      },
      began: refresh,
    },
  )
  const setAtTop = (atTop: boolean) => {
    isAtTop.current = atTop
    if (atTop && held.current.length > 0) takeWaiting()
  }
  return { waiting, takeWaiting, setAtTop }
}

function Incoming({ count, show }: { readonly count: number; readonly show: () => void }) {
  return (
    <div class="incoming" role="status">
      {count === 0 ? null : (
        <button type="button" class="button primary" onClick={show}>
          <Icon name="up" /> {countText(count)} new: show {count === 1 ? 'it' : 'them'}
        </button>
      )}
    </div>
  )
}

interface NoAnomaliesProps {
  readonly isFiltered: boolean
  readonly clear: () => void
}

function NoAnomalies({ isFiltered, clear }: NoAnomaliesProps) {
  if (!isFiltered) {
    return (
      <Empty title="Nothing unusual was ever seen">
        <p>
          A meter is judged once it has six hours of history. To see a fleet with faults, run{' '}
          <code>npm run -s meterloom -- simulate --help</code>
        </p>
      </Empty>
    )
  }
  return (
    <Empty title="No anomaly fits">
      <button type="button" class="button" onClick={clear}>
        Show all anomalies
      </button>
    </Empty>
  )
}
