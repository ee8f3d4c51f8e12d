/**
 * The publishes of one connection that the broker has not acknowledged, oldest first: a ring with
 * one slot for each, so that nothing is allocated for a publish. The packet id is the slot's number
 * plus 1. Acknowledgements may come in any order; room comes back from the oldest end.
 */
export class Window {
  readonly #topics: string[]
  readonly #payloads: (string | Uint8Array)[]
  readonly #tags: unknown[]
  readonly #done: Uint8Array
  readonly #sizes: Float64Array
  readonly #publishesMax: number
  readonly #bytesMax: number
  // Counted since the beginning; a slot is the count modulo the size. head <= sent <= tail.
  #head = 0
  #sent = 0
  #tail = 0
  /** Below this everything went out at least once, so that going out again is a repeat. */
  #sentOnce = 0
  #bytes = 0

  constructor(publishesMax: number, bytesMax: number) {
    this.#publishesMax = publishesMax
    this.#bytesMax = bytesMax
    this.#topics = new Array<string>(publishesMax).fill('')
    this.#payloads = new Array<string>(publishesMax).fill('')
    this.#tags = new Array<unknown>(publishesMax).fill(undefined)
    this.#done = new Uint8Array(publishesMax)
    this.#sizes = new Float64Array(publishesMax)
  }

  /** Publishes that are neither acknowledged nor behind one that is not. */
  get length(): number {
    return this.#tail - this.#head
  }

  /** One publish is always let in, however long it is. */
  get isFull(): boolean {
    const { length } = this
    return length >= this.#publishesMax || (length > 0 && this.#bytes >= this.#bytesMax)
  }

  add(topic: string, payload: string | Uint8Array, tag: unknown, bytes: number): void {
    const slot = this.#tail % this.#publishesMax
    this.#topics[slot] = topic
    this.#payloads[slot] = payload
    this.#tags[slot] = tag
    this.#sizes[slot] = bytes
    this.#done[slot] = 0
    this.#bytes += bytes
    this.#tail += 1
  }

  /**
   * Hands over what is still to be sent, oldest first, until `write` returns false (that one
   * stays).
   *
   * @returns How many were repeats.
   */
  send(
    write: (publish: {
      topic: string
      payload: string | Uint8Array
      packetId: number
      again: boolean
    }) => boolean,
  ): number {
    let repeats = 0
    for (; this.#sent < this.#tail; this.#sent += 1) {
      const slot = this.#sent % this.#publishesMax
      if (this.#done[slot] === 1) continue
      const again = this.#sent < this.#sentOnce
      const topic = this.#topics[slot]!
      if (!write({ topic, payload: this.#payloads[slot]!, packetId: slot + 1, again })) break
      if (again) repeats += 1
    }
    if (this.#sent > this.#sentOnce) this.#sentOnce = this.#sent
    return repeats
  }

  /**
   * @returns Whether there was such a publish: a broker may send a PUBACK that nobody waits for.
   */
  acknowledge(
    packetId: number,
    onAck: ((topic: string, payload: string | Uint8Array, tag: unknown) => void) | undefined,
  ): boolean {
    const slot = packetId - 1
    if (slot < 0 || slot >= this.#publishesMax || this.#done[slot] === 1) return false
    // The slot's own place in line: the one at or after head that falls on it.
    const ahead =
      (slot - (this.#head % this.#publishesMax) + this.#publishesMax) % this.#publishesMax
    if (this.#head + ahead >= this.#sent) return false
    const topic = this.#topics[slot]!
    const payload = this.#payloads[slot]!
    const tag = this.#tags[slot]
    this.#done[slot] = 1
    this.#bytes -= this.#sizes[slot]!
    this.#payloads[slot] = ''
    this.#tags[slot] = undefined
    while (this.#head < this.#tail && this.#done[this.#head % this.#publishesMax] === 1) {
      this.#head += 1
    }
    onAck?.(topic, payload, tag)
    return true
  }

  /** The connection is gone: everything not acknowledged goes out again, in the old order. */
  rewind(): void {
    this.#sent = this.#head
  }
}
