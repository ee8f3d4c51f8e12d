import { createHash } from 'node:crypto'
import { engineErrors } from './errors.ts'
import { inputsOf } from './nodes.ts'
import type { AnyNode, SinkNode } from './nodes.ts'

/** What a task runs: every node that the sinks need, inputs before what reads them. */
export interface Pipeline {
  readonly name: string
  readonly nodes: readonly AnyNode[]
  /** By node id: a hash of the node's declaration and of what it reads. */
  readonly fingerprint: ReadonlyMap<string, string>
}

/**
 * Joins topologies into one task a partition: one decode, and one state for each node that they
 * share.
 *
 * @throws engine.badName where two nodes bear one name, so that their states would be one.
 */
export function fuse(
  name: string,
  topologies: readonly { readonly name: string; readonly sinks: readonly SinkNode[] }[],
): Pipeline {
  const nodes: AnyNode[] = []
  const byId = new Map<string, AnyNode>()
  const visit = (node: AnyNode): void => {
    const other = byId.get(node.id)
    if (other === node) return
    if (other !== undefined) {
      throw engineErrors.badName({ name: node.id, why: 'a node of another topology bears it' })
    }
    inputsOf(node).forEach(visit)
    byId.set(node.id, node)
    nodes.push(node)
  }
  for (const { sinks } of topologies) sinks.forEach(visit)
  if (nodes.length === 0) throw engineErrors.nothingToDo({ pipeline: name })
  const isSource = (node: AnyNode) => inputsOf(node).length === 0 && node.kind !== 'lookup-table'
  if (nodes.filter(isSource).length !== 1) {
    throw engineErrors.differentSources({ topologies: topologies.map((t) => t.name).join(', ') })
  }
  const fingerprint = new Map<string, string>()
  for (const node of nodes) {
    const before = inputsOf(node)
      .map((input) => fingerprint.get(input.id)!)
      .join(' ')
    const text = `${before} ${node.declaration}`
    fingerprint.set(node.id, createHash('sha256').update(text).digest('hex').slice(0, 16))
  }
  return Object.freeze({ name, nodes: Object.freeze(nodes), fingerprint })
}

/** A pipeline as text: a line a node, below what it reads. */
export function printPipeline(pipeline: Pipeline): string {
  const lines: string[] = []
  const print = (node: AnyNode, depth: number) => {
    lines.push(`${'  '.repeat(depth)}${node.id}: ${node.declaration}`)
    for (const other of pipeline.nodes) {
      if (inputsOf(other)[0] === node) print(other, depth + 1)
    }
  }
  for (const node of pipeline.nodes) if (inputsOf(node).length === 0) print(node, 0)
  return lines.join('\n')
}
