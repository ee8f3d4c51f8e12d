/** Walks bytes as the Kafka protocol writes them: numbers are big endian. */
export class BytesReader {
  protected readonly buffer: Buffer
  protected at = 0

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  int16(): number {
    this.at += 2
    return this.buffer.readInt16BE(this.at - 2)
  }

  int32(): number {
    this.at += 4
    return this.buffer.readInt32BE(this.at - 4)
  }

  /** The next so many bytes, not copied. */
  take(length: number): Buffer {
    this.at += length
    return this.buffer.subarray(this.at - length, this.at)
  }
}
