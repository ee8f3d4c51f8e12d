import { type Socket, connect, createServer } from 'node:net'
import type { Scope } from '../support/database.ts'

/** A line between a browser and the api that can be cut, with all that goes over it. */
export interface Cuttable {
  readonly url: string
  cut(): void
  mend(): void
}

export async function cuttableLine(scope: Scope, toUrl: string): Promise<Cuttable> {
  const { hostname, port } = new URL(toUrl)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) {
      client.destroy()
      return
    }
    const upstream = connect(Number(port), hostname)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cutAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  scope.after(async () => {
    cutAll()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut() {
      isCut = true
      cutAll()
    },
    mend() {
      isCut = false
    },
  }
}
