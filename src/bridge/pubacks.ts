import type { Socket } from 'node:net'

/**
 * PUBACKs, gathered: all of a connection that one append has earned go out in one write. aedes
 * would make three buffers and a timer for each.
 *
 *     PUBACK = 0x40 | 2 | packet id, 2 bytes, high first
 */
export class Pubacks {
  private readonly waiting = new Map<Socket, number[]>()

  /** Goes out at the end of this turn, in the order of the calls. */
  add(socket: Socket, packetId: number): void {
    const ids = this.waiting.get(socket)
    if (ids !== undefined) {
      ids.push(packetId)
      return
    }
    if (this.waiting.size === 0) process.nextTick(() => this.flush())
    this.waiting.set(socket, [packetId])
  }

  private flush(): void {
    for (const [socket, ids] of this.waiting) {
      if (!socket.destroyed) socket.write(pubackFrames(ids))
    }
    this.waiting.clear()
  }
}

function pubackFrames(ids: readonly number[]): Buffer {
  const frames = Buffer.allocUnsafe(ids.length * 4)
  let at = 0
  for (const id of ids) {
    frames[at] = 0x40
    frames[at + 1] = 2
    frames[at + 2] = id >>> 8
    frames[at + 3] = id & 255
    at += 4
  }
  return frames
}
