import { engineErrors } from '../errors.ts'
import type { KeyedPart, Plain, StatePart } from './part.ts'

/** The name that state of the task itself goes by, in place of a node's id. */
export const TASK = 'task'

export interface NamedPart {
  /** The node that the part belongs to, or `TASK`. */
  readonly node: string
  readonly name: string
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
    this.byId.set(id, { node, name, part })
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

const SPECIAL: Readonly<Record<string, number>> = {
  '#NaN': NaN,
  '#Infinity': Infinity,
  '#-Infinity': -Infinity,
  '#-0': -0,
}

/** JSON that knows NaN, the infinities and -0. Strings that begin with # get another one. */
export function plainText(plain: Plain): string {
  return JSON.stringify(plain, (_name, value: Plain) => {
    if (typeof value === 'string') return value.startsWith('#') ? `#${value}` : value
    if (typeof value !== 'number') return value
    if (Number.isFinite(value) && !Object.is(value, -0)) return value
    return `#${Object.is(value, -0) ? '-0' : value}`
  })
}

/** Reads back what `plainText` wrote. @throws SyntaxError */
export function plainOf(text: string): Plain {
  return JSON.parse(text, (_name, value: Plain) => {
    if (typeof value !== 'string' || !value.startsWith('#')) return value
    return SPECIAL[value] ?? value.slice(1)
  }) as Plain
}
