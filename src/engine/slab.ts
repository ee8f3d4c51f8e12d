/** Memory that is written from its beginning to its end. What is kept of it when it grows moves. */
export class Slab {
  bytes: Buffer
  view: DataView
  /** Where the next byte goes. */
  position = 0
  /** What lies before this is given away, and stays where it is when the slab grows. */
  keepFrom = 0
  private readonly firstBytes: number

  constructor(firstBytes: number) {
    this.firstBytes = firstBytes
    this.bytes = Buffer.allocUnsafeSlow(firstBytes)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `bytes` more. */
  room(bytes: number): void {
    if (this.position + bytes > this.bytes.length) this.enlarge(bytes)
  }

  put(bytes: Buffer): void {
    this.room(bytes.length)
    this.bytes.set(bytes, this.position)
    this.position += bytes.length
  }

  private enlarge(more: number): void {
    const { firstBytes, keepFrom, position } = this
    const kept = this.bytes.subarray(keepFrom, position)
    this.bytes = Buffer.allocUnsafeSlow(Math.max(firstBytes, 2 * (kept.length + more)))
    this.view = new DataView(this.bytes.buffer)
    this.bytes.set(kept)
    this.position = kept.length
    this.keepFrom = 0
  }
}
