import { useRef, useState } from 'preact/hooks'
import type { AnomalyItem } from '../../../api/contract/items.ts'
import { AnomalyList, anomalyKey } from '../../data/anomaly-list.ts'
import { AnomalyEntry } from '../../parts/anomaly.tsx'
import { Empty, Loading, ProblemBox } from '../../parts/states.tsx'
import { useLive } from '../../parts/use-live.ts'
import { useQuery } from '../../parts/use-query.ts'
import { type Page, ask } from '../../rest/ask.ts'
import { Link } from '../../shell/router.tsx'

const SHOWN = 30
/** More than are shown: one of them may yet be withdrawn. */
const KEPT = 300

/** The newest verdicts of the last day, as they come. */
export function NewestAnomalies() {
  const list = useRef(new AnomalyList()).current
  const [begun, setBegun] = useState(0)
  const [, setVersion] = useState(0)
  const { problem, isLoading, retry } = useQuery(
    `newest ${begun}`,
    async (signal) => {
      const params = { order: 'desc', limit: SHOWN, state: 'any' }
      const { items } = await ask<Page<AnomalyItem>>('/api/anomalies', params, signal)
      list.add(items)
      return items.length
    },
    { keep: true },
  )
  useLive(
    { topic: 'anomalies', mode: 'every' },
    {
      items: (items) => {
        list.add(items)
        list.trim(KEPT)
        setVersion((version) => version + 1)
      },
      began: () => setBegun((count) => count + 1),
    },
  )
  const shown = list.newestFirst().slice(0, SHOWN)
  return (
    <section class="panel newest" aria-label="Newest anomalies">
      <div class="toolbar">
        <h2>Newest anomalies</h2>
        <Link href="/anomalies">All</Link>
      </div>
      {problem === undefined ? null : (
        <ProblemBox problem={problem} retry={retry} slim={shown.length > 0} />
      )}
      {isLoading && shown.length === 0 ? (
        <Loading label="Anomalies are being asked for" height="100%" />
      ) : null}
      {!isLoading && problem === undefined && shown.length === 0 ? (
        <Empty title="Nothing unusual in the last 24 hours">
          <p>A meter is judged once it has six hours of history.</p>
        </Empty>
      ) : null}
      <div class="anomaly-entries" tabIndex={0} role="region" aria-label="Newest anomalies, a list">
        {shown.map((item) => (
          <AnomalyEntry key={anomalyKey(item)} item={item} />
        ))}
      </div>
    </section>
  )
}
