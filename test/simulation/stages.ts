import { fuse } from '../../src/engine/dsl.ts'
import type { Pipeline } from '../../src/engine/dsl.ts'
import type { Topics } from '../../src/log/topics.ts'
import { TOPOLOGIES, pipeline } from '../../topologies/index.ts'
import { totalsPipeline } from '../../topologies/totals.ts'
import { limits } from './limits.ts'
import type { Plan } from './plan.ts'

/** A pipeline that every processor runs, in a group of its own. */
export interface Stage {
  readonly pipeline: Pipeline
  readonly input: string
  readonly stateTopic: string
  readonly group: string
}

const withLimits = fuse('readings', [...TOPOLOGIES, limits])

/** What is simulated of the product: not all of it in each seed, since each has its price. */
export function stagesOf(plan: Plan, topics: Topics): readonly Stage[] {
  const first = {
    pipeline: plan.hasLimits ? withLimits : pipeline,
    ...{ input: topics.readings, stateTopic: topics.state, group: 'simulation' },
  }
  if (!plan.hasTotals) return [first]
  const second = {
    pipeline: totalsPipeline,
    ...{ input: topics.contributions, stateTopic: topics.totalsState, group: 'simulation-totals' },
  }
  return [first, second]
}
