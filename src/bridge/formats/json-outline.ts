/**
 * Where the elements of a JSON text's top-level array lie, and which keys are repeated in one
 * object. The text is known to be JSON; this walks it only where something in it is wrong.
 */
export class JsonOutline {
  /** The element by -1 where the top is no array. */
  readonly duplicates: ReadonlyMap<number, string>
  private readonly bytes: Buffer
  private readonly starts: number[] = []
  private readonly ends: number[] = []
  private readonly found = new Map<number, string>()
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.blank()
    if (bytes[this.at] === OPEN_LIST) this.elements()
    else this.value(-1)
    this.duplicates = this.found
  }

  /** The bytes of element `i`, without the blanks around it. */
  element(i: number): Buffer {
    return this.bytes.subarray(this.starts[i], this.ends[i])
  }

  private elements(): void {
    this.at += 1
    for (;;) {
      this.blank()
      if (this.bytes[this.at] === CLOSE_LIST || this.at >= this.bytes.length) return
      const index = this.starts.push(this.at) - 1
      this.value(index)
      this.ends.push(this.at)
      this.blank()
      if (this.bytes[this.at] === COMMA) this.at += 1
    }
  }

  /** Walks one value; its depth is bounded by the check that came before. */
  private value(element: number): void {
    const byte = this.bytes[this.at]
    if (byte === OPEN_OBJECT) this.object(element)
    else if (byte === OPEN_LIST) this.list(element)
    else if (byte === QUOTE) this.string()
    else while (this.at < this.bytes.length && !ENDS_SCALAR.has(this.bytes[this.at]!)) this.at += 1
  }

  private list(element: number): void {
    this.at += 1
    for (;;) {
      this.blank()
      const byte = this.bytes[this.at]
      if (byte === COMMA) {
        this.at += 1
        continue
      }
      if (byte === CLOSE_LIST || byte === undefined) {
        this.at += 1
        return
      }
      this.value(element)
    }
  }

  private object(element: number): void {
    const keys = new Set<string>()
    this.at += 1
    for (;;) {
      this.blank()
      const byte = this.bytes[this.at]
      if (byte === COMMA) {
        this.at += 1
        continue
      }
      if (byte !== QUOTE) {
        this.at += 1
        return
      }
      const key = this.string()
      if (keys.has(key) && !this.found.has(element)) this.found.set(element, key)
      keys.add(key)
      this.blank()
      this.at += 1
      this.blank()
      this.value(element)
    }
  }

  /** Two keys are equal as texts, however they are escaped. */
  private string(): string {
    const start = this.at
    this.at += 1
    while (this.at < this.bytes.length && this.bytes[this.at] !== QUOTE) {
      this.at += this.bytes[this.at] === BACKSLASH ? 2 : 1
    }
    this.at += 1
    return JSON.parse(this.bytes.toString('utf8', start, this.at)) as string
  }

  private blank(): void {
    while (BLANKS.has(this.bytes[this.at]!)) this.at += 1
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
/** Space, tab, line feed, carriage return. */
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d])
const ENDS_SCALAR = new Set([COMMA, CLOSE_LIST, CLOSE_OBJECT, ...BLANKS])
