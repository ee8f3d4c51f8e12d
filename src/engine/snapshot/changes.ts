import { engineErrors } from '../errors.ts'
import type { Pipeline } from '../pipeline.ts'
import { TASK } from '../state/task-state.ts'
import type { TaskState } from '../state/task-state.ts'
import { nodesOf } from './manifest.ts'
import type { Manifest, ManifestNode } from './manifest.ts'

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
  for (const [id, was] of Object.entries(before)) {
    const found = now[id]
    if (found !== undefined && isSame(was, found)) kept.add(id)
    else if (dropped.has(id)) continue
    else if (was.holdsState || found?.holdsState === true) changes.set(id, changeOf(id, was, found))
  }
  if (changes.size === 0) return kept
  throw engineErrors.topologyChanged({
    partition,
    changes: [...changes.values()].join('; '),
    nodes: [...changes.keys()].join(','),
  })
}

/** Arrays may come and go with other nodes; one that lies otherwise cannot be read. */
function isSame(was: ManifestNode, found: ManifestNode): boolean {
  if (was.hash !== found.hash) return false
  const { shapes } = found
  return Object.entries(was.shapes).every(([name, shape]) => (shapes[name] ?? shape) === shape)
}

function changeOf(id: string, was: ManifestNode, found: ManifestNode | undefined): string {
  if (found === undefined) return `${id} is no more (it was '${was.declaration}')`
  if (was.declaration !== found.declaration) {
    return `${id} was '${was.declaration}' and is '${found.declaration}'`
  }
  return was.hash === found.hash
    ? `${id} keeps its state in another shape`
    : `what ${id} reads has changed`
}
