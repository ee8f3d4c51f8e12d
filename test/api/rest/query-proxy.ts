import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { Scope } from '../../support/database.ts'
import { questdbUrl } from '../../sinks/support.ts'

/** What stands between an api and QuestDB, to count its queries and to make them go wrong. */
export interface QueryProxy {
  readonly url: string
  /** `pass`, or never answered, or answered by this text with status 400, as QuestDB refuses. */
  mode: 'pass' | 'hang' | { readonly error: string }
  queries: number
  atOnce: number
  atOnceMax: number
  /** Queries whose asker went away before the answer. */
  abandoned: number
}

export async function queryProxy(scope: Scope): Promise<QueryProxy> {
  const target = new URL(questdbUrl)
  const { hostname, port: targetPort } = target
  const proxy = { url: '', mode: 'pass', queries: 0, atOnce: 0, atOnceMax: 0, abandoned: 0 } as {
    -readonly [K in keyof QueryProxy]: QueryProxy[K]
  }
  const server = createServer((incoming, outgoing) => {
    proxy.queries += 1
    proxy.atOnce += 1
    proxy.atOnceMax = Math.max(proxy.atOnceMax, proxy.atOnce)
    outgoing.on('close', () => {
      proxy.atOnce -= 1
      if (!outgoing.writableEnded) proxy.abandoned += 1
    })
    const { mode } = proxy
    if (mode === 'hang') return
    if (mode !== 'pass') {
      outgoing.writeHead(400).end(JSON.stringify({ error: mode.error }))
      return
    }
    const { method, url: path, headers } = incoming
    const onward = request({ hostname, port: targetPort, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    outgoing.on('close', () => onward.destroy())
    onward.on('error', () => outgoing.destroy())
    onward.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { username, password } = target
  proxy.url = `http://${username}:${password}@127.0.0.1:${(server.address() as AddressInfo).port}`
  return proxy
}
