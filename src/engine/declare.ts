import { engineErrors } from './errors.ts'
import type { AnyNode, SinkNode } from './nodes.ts'

const NODE_NAME = /^[a-z][a-z0-9-]*$/

interface Building {
  readonly name: string
  readonly ids: Set<string>
  readonly sinks: SinkNode[]
}

let building: Building | undefined

/** Gives a node its id within the topology that is being built, and freezes it. */
export function add<N extends AnyNode>(node: N): N {
  if (building === undefined) throw engineErrors.outsideTopology({ name: node.id })
  checkName(node.id)
  const id = `${building.name}/${node.id}`
  if (building.ids.has(id)) throw engineErrors.badName({ name: id, why: 'another node bears it' })
  building.ids.add(id)
  const named = Object.freeze({ ...node, id }) as unknown as N
  if (isSink(named)) building.sinks.push(named)
  return named
}

function isSink(node: AnyNode): node is SinkNode {
  return ['table', 'log', 'rekey', 'repair'].includes(node.kind)
}

function checkName(name: string): void {
  if (NODE_NAME.test(name)) return
  throw engineErrors.badName({ name, why: 'it must be small letters, digits and dashes' })
}

/** Nodes that `build` adds belong to topology `name`. Answers its sinks, and what it returns. */
export function within<Exports>(
  name: string,
  build: () => Exports,
): { readonly sinks: readonly SinkNode[]; readonly exports: Exports } {
  checkName(name)
  const outer = building
  const here: Building = { name, ids: new Set(), sinks: [] }
  building = here
  try {
    const exports = build()
    return { sinks: Object.freeze(here.sinks), exports }
  } finally {
    building = outer
  }
}
