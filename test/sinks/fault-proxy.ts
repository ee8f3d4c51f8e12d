import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Scope } from '../support/database.ts'

/**
 * What the proxy does with a write: hands it on; hands it on and cuts the connection instead of
 * answering; answers 500 without handing it on; takes it and never answers; or holds it back until
 * it is released.
 */
export type Fault = 'none' | 'drop-answer' | 'status-500' | 'hang' | 'hold'

/** A write that is held back. */
export interface HeldWrite {
  readonly body: Buffer
  /** Hands it on; resolves when it is answered. */
  release(): Promise<void>
}

export interface FaultProxy {
  readonly url: string
  /** One for each write to come, in order; `none` after the last. */
  readonly faults: Fault[]
  readonly held: HeldWrite[]
  /** Writes that came so far, and the most that were under way at once. */
  readonly seen: { writes: number; atOnceMax: number }
}

/** A real HTTP server between sink and QuestDB: only it can make an answer go missing. */
export async function faultProxy(scope: Scope, targetUrl: string): Promise<FaultProxy> {
  const target = new URL(targetUrl)
  const faults: Fault[] = []
  const held: HeldWrite[] = []
  const seen = { writes: 0, atOnceMax: 0 }
  let atOnce = 0
  const server = createServer((incoming, outgoing) => {
    const isWrite = incoming.url?.startsWith('/write') === true
    const fault = isWrite ? (faults.shift() ?? 'none') : 'none'
    if (isWrite) {
      seen.writes++
      seen.atOnceMax = Math.max(seen.atOnceMax, ++atOnce)
      outgoing.on('close', () => atOnce--)
    }
    void buffer(incoming).then((body) => {
      if (fault === 'hang') return
      if (fault === 'status-500') {
        outgoing.writeHead(500).end('broken on purpose')
        return
      }
      const handOn = () => {
        const { method, url, headers } = incoming
        const { hostname, port } = target
        const done = Promise.withResolvers<undefined>()
        const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
          void buffer(answer).then((text) => {
            if (fault === 'drop-answer') incoming.socket.destroy()
            else outgoing.writeHead(answer.statusCode ?? 500).end(text)
            done.resolve(undefined)
          })
        })
        // A server that is away answers nobody.
        onward.on('error', () => {
          incoming.socket.destroy()
          done.resolve(undefined)
        })
        onward.end(body)
        return done.promise
      }
      if (fault === 'hold') held.push({ body, release: handOn })
      else void handOn()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const { username, password } = target
  return { url: `http://${username}:${password}@127.0.0.1:${port}`, faults, held, seen }
}
