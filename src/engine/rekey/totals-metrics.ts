import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { StreamTask } from '../stream-task.ts'
import { noTotalsCounts } from './totals-counts.ts'
import type { TotalsCounts } from './totals-counts.ts'
import { TotalsTask } from './totals-task.ts'

const COUNTED: readonly (readonly [keyof TotalsCounts, string])[] = [
  ['contributions', 'Windows of series taken into totals'],
  ['repeated', 'Records between the stages that had come before, and were left out'],
  ['late', 'Windows of series whose totals were closed by then'],
  ['ahead', 'Windows of series that end after their reading was appended: in no total'],
  ['unreadable', 'Records between the stages that are none'],
]

/** The metrics of stage two. Tasks come and go with their partitions; what they counted stays. */
export function watchTotals(registry: Registry, all: () => readonly StreamTask[]): void {
  const registers = [registry]
  const tasks = () => all().filter((task) => task instanceof TotalsTask)
  const seen = new WeakMap<TotalsTask, TotalsCounts>()
  for (const [field, help] of COUNTED) {
    new Counter({
      name: `meterloom_totals_${field}_total`,
      help,
      registers,
      collect() {
        for (const task of tasks()) {
          const before = seen.get(task) ?? noTotalsCounts()
          this.inc(task.totalsCounts[field] - before[field])
          before[field] = task.totalsCounts[field]
          seen.set(task, before)
        }
      },
    })
  }
  const gauge = (name: string, help: string, of: (task: TotalsTask) => number) =>
    new Gauge({
      name: `meterloom_totals_${name}`,
      help,
      registers,
      collect() {
        this.set(tasks().reduce((sum, task) => sum + of(task), 0))
      },
    })
  gauge('members', 'Series that give to totals, once for each scope', ({ table }) => {
    return table.seriesCount
  })
  gauge('state_bytes', 'Bytes of state of totals in this process', (task) => task.stateBytes)
  gauge('partitions', 'Partitions between the stages that this process owns', () => 1)
}
