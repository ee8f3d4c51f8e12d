import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { Aedes, type PublishPacket } from 'aedes'
import type { Scope } from '../support/database.ts'

/** A real broker for tests of publishers, which notes what it was told. */
export interface TestBroker {
  readonly url: string
  readonly port: number
  /** In the order of arrival, repeats included. */
  readonly received: { readonly topic: string; readonly payload: string; readonly dup: boolean }[]
}

export async function openBroker(
  scope: Scope,
  options: { password?: string } = {},
): Promise<TestBroker> {
  const received: TestBroker['received'] = []
  const broker = await Aedes.createBroker({
    authenticate: (_client, _username, password, done) => {
      done(null, options.password === undefined || password?.toString() === options.password)
    },
    authorizePublish: (_client, packet: PublishPacket, done) => {
      const { topic, dup } = packet
      received.push({ topic, payload: packet.payload.toString(), dup })
      done(null)
    },
  })
  const server = createServer((socket) => {
    broker.handle(socket)
  })
  const port = await listening(server)
  scope.after(async () => {
    await new Promise<void>((resolve) => broker.close(resolve))
    await closed(server)
  })
  return { url: `mqtt://127.0.0.1:${port}`, port, received }
}

/**
 * A way to a port that is cut again and again: each connection dies after so many bytes, in the
 * middle of whatever frame that is, on the way there or back.
 *
 * @param bytesOf Bytes of the n-th connection, both ways together; Infinity lets it live.
 */
export async function openCuttingProxy(
  scope: Scope,
  target: number,
  bytesOf: (connection: number) => number,
): Promise<{ url: string; connections(): number }> {
  let connections = 0
  const server = createServer((near) => {
    let left = bytesOf(connections)
    connections += 1
    const far = connect(target, '127.0.0.1')
    const pass = (from: Socket, to: Socket) => {
      from.on('data', (chunk: Buffer) => {
        to.write(chunk.subarray(0, Math.max(0, Math.min(left, chunk.length))))
        left -= chunk.length
        // What is written still goes out, as the last bytes before a line breaks do.
        if (left < 0) for (const each of [near, far]) each.destroySoon()
      })
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroySoon())
    }
    pass(near, far)
    pass(far, near)
  })
  const port = await listening(server)
  scope.after(() => closed(server))
  return { url: `mqtt://127.0.0.1:${port}`, connections: () => connections }
}

/** A peer that speaks just enough: CONNACK for CONNECT, then what the test decides. */
export async function openRawPeer(
  scope: Scope,
  onData: (socket: Socket, chunk: Buffer, isFirst: boolean) => void,
): Promise<{ url: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let isFirst = true
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      if (isFirst) socket.write(Buffer.from([0x20, 2, 0, 0]))
      onData(socket, chunk, isFirst)
      isFirst = false
    })
  })
  const port = await listening(server)
  scope.after(async () => {
    for (const socket of sockets) socket.destroy()
    await closed(server)
  })
  return { url: `mqtt://127.0.0.1:${port}` }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
  })
}
