import { engineErrors } from '../errors.ts'
import type { Pipeline } from '../pipeline.ts'
import { TASK } from '../state/task-state.ts'
import type { TaskState } from '../state/task-state.ts'
import { nodesOf } from './manifest.ts'
import type { Manifest } from './manifest.ts'

/**
 * Which nodes find their state again: those that are what they were, with all that they read. New
 * ones begin without a past.
 *
 * @param dropped Nodes whose state may be forgotten.
 * @throws engine.topologyChanged where a node with state is another one now, or is no more.
 */
export function nodesKept(
  { nodes: before, partition }: Pick<Manifest, 'nodes' | 'partition'>,
  pipeline: Pipeline,
  state: TaskState,
  dropped: ReadonlySet<string>,
): ReadonlySet<string> {
  const now = nodesOf(pipeline, state)
  const kept = new Set([TASK])
  const changes = new Map<string, string>()
  for (const [id, { hash, declaration, holdsState }] of Object.entries(before)) {
    const found = now[id]
    if (found?.hash === hash) kept.add(id)
    else if (dropped.has(id)) continue
    else if (found === undefined) {
      if (holdsState) changes.set(id, `${id} is no more (it was '${declaration}')`)
    } else if (holdsState || found.holdsState) {
      changes.set(id, changeOf(id, declaration, found.declaration))
    }
  }
  if (changes.size === 0) return kept
  throw engineErrors.topologyChanged({
    partition,
    changes: [...changes.values()].join('; '),
    nodes: [...changes.keys()].join(','),
  })
}

function changeOf(id: string, before: string, now: string): string {
  if (before === now) return `what ${id} reads has changed`
  return `${id} was '${before}' and is '${now}'`
}
