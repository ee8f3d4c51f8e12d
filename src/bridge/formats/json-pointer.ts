/**
 * A JSON pointer (RFC 6901) in whose parts a star stands for any characters: with `switch:*` as a
 * part it leads into every switch. What the stars stand for comes along, in their order.
 */
export type Visit = (value: unknown, captures: readonly string[]) => void

interface Part {
  readonly key: string
  /** undefined where the part has no star. */
  readonly pattern: RegExp | undefined
}

export class JsonPointer {
  readonly text: string
  /** How many stars it has. */
  readonly stars: number
  private readonly parts: readonly Part[]

  /** @throws TypeError where the text is no pointer; who reads it from a file says where. */
  constructor(text: string) {
    if (!isPointer(text)) throw new TypeError(`'${text}' is no JSON pointer`)
    this.text = text
    this.parts = text.split('/').slice(1).map(partOf)
    this.stars = text.split('*').length - 1
  }

  /** The value of a pointer without stars; undefined where nothing is there. */
  get(root: unknown): unknown {
    let value = root
    for (const { key } of this.parts) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
        return undefined
      value = (value as Record<string, unknown>)[key]
    }
    return value
  }

  /** Calls `visit` for everything that the pointer leads to, in the order of the message. */
  each(root: unknown, visit: Visit): void {
    if (this.stars > 0) {
      this.walk(root, 0, [], visit)
      return
    }
    const value = this.get(root)
    if (value !== undefined) visit(value, NONE)
  }

  private walk(value: unknown, depth: number, captures: readonly string[], visit: Visit): void {
    const part = this.parts[depth]
    if (part === undefined) {
      visit(value, captures)
      return
    }
    if (typeof value !== 'object' || value === null) return
    const object = value as Record<string, unknown>
    if (part.pattern === undefined) {
      if (Object.hasOwn(object, part.key)) this.walk(object[part.key], depth + 1, captures, visit)
      return
    }
    for (const key of Object.keys(object)) {
      const match = part.pattern.exec(key)
      if (match !== null) this.walk(object[key], depth + 1, [...captures, ...match.slice(1)], visit)
    }
  }
}

const NONE: readonly string[] = []

/** A tilde has to be followed by 0 or 1. */
export function isPointer(text: string): boolean {
  return text.startsWith('/') && !/~(?![01])/.test(text)
}

function partOf(text: string): Part {
  const key = text.replaceAll('~1', '/').replaceAll('~0', '~')
  if (!key.includes('*')) return { key, pattern: undefined }
  const literal = key.split('*').map((each) => each.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return { key, pattern: new RegExp(`^${literal.join('(.*)')}$`, 'su') }
}
