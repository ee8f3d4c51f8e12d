import type { Overview } from '../../api/contract/overview.ts'
import { useQuery } from '../parts/use-query.ts'
import { ask } from '../rest/ask.ts'
import { ProblemBox } from '../parts/states.tsx'
import { FleetTiles } from './overview/tiles.tsx'
import { MeterList } from './overview/meter-list.tsx'
import { NewestAnomalies } from './overview/newest-anomalies.tsx'

const EVERY_MS = 3_000

/** The fleet at a glance. */
export function OverviewPage() {
  const { data, problem, retry } = useQuery(
    'overview',
    (signal) => ask<Overview>('/api/overview', {}, signal),
    { everyMs: EVERY_MS },
  )
  return (
    <div class="page overview">
      <h1 class="visually-hidden">Overview of the fleet</h1>
      {problem === undefined ? null : (
        <ProblemBox problem={problem} retry={retry} slim={data !== undefined} />
      )}
      <FleetTiles overview={data} />
      <div class="overview-lists">
        <MeterList />
        <NewestAnomalies />
      </div>
    </div>
  )
}
