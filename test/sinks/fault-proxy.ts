import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Scope } from '../support/database.ts'

/**
 * What the proxy does with a write: hands it on; hands it on and cuts the connection instead of
 * answering; answers 500 without handing it on; or takes it and never answers.
 */
export type Fault = 'none' | 'drop-answer' | 'status-500' | 'hang'

export interface FaultProxy {
  readonly url: string
  /** One for each write to come, in order; `none` after the last. */
  readonly faults: Fault[]
  /** Writes that came so far, and the most that were under way at once. */
  readonly seen: { writes: number; atOnceMax: number }
}

/** A real HTTP server between sink and QuestDB: only it can make an answer go missing. */
export async function faultProxy(scope: Scope, targetUrl: string): Promise<FaultProxy> {
  const target = new URL(targetUrl)
  const faults: Fault[] = []
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
      const { method, url, headers } = incoming
      const { hostname, port } = target
      const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
        void buffer(answer).then((text) => {
          if (fault === 'drop-answer') incoming.socket.destroy()
          else outgoing.writeHead(answer.statusCode ?? 500).end(text)
        })
      })
      onward.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const { username, password } = target
  return { url: `http://${username}:${password}@127.0.0.1:${port}`, faults, seen }
}
