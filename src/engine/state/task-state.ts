import { engineErrors } from '../errors.ts'
import type { KeyedPart, StatePart } from './part.ts'

/** The name that state of the task itself goes by, in place of a node's id. */
export const TASK = 'task'

export interface NamedPart {
  /** The node that the part belongs to, or `TASK`. */
  readonly node: string
  /** `node:name`. */
  readonly id: string
  readonly part: StatePart
}

/** All that one task remembers: its parts, by node. */
export class TaskState {
  private readonly byId = new Map<string, NamedPart>()
  private readonly keyed: KeyedPart[] = []

  /** @throws engine.badName where a part of the node has that name already. */
  add<P extends StatePart>(node: string, name: string, part: P): P {
    const id = `${node}:${name}`
    if (this.byId.has(id)) throw engineErrors.badName({ name: id, why: 'another part bears it' })
    this.byId.set(id, { node, id, part })
    return part
  }

  /** Adds a part that holds something for each series' slot: it grows and forgets with them. */
  addKeyed<P extends KeyedPart>(node: string, name: string, part: P): P {
    this.keyed.push(this.add(node, name, part))
    return part
  }

  /** In the order in which they were added. */
  get parts(): Iterable<NamedPart> {
    return this.byId.values()
  }

  /** Makes room for `slots` series. */
  grow(slots: number): void {
    for (const part of this.keyed) part.grow(slots)
  }

  forget(slot: number): void {
    for (const part of this.keyed) part.forget(slot)
  }

  get bytes(): number {
    let bytes = 0
    for (const { part } of this.byId.values()) bytes += part.bytes
    return bytes
  }
}
