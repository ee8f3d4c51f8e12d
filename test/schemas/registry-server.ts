import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A small schema registry on a real port, in Confluent's form; ids begin at 100. */
export interface RegistryServer {
  readonly url: string
  /** `subject` to the texts that were registered under it. */
  readonly subjects: ReadonlyMap<string, readonly string[]>
  /** Method, path and login of each request so far. */
  readonly requests: readonly string[]
  add(text: string): number
  close(): Promise<void>
}

export async function startRegistry(): Promise<RegistryServer> {
  const texts: string[] = []
  const subjects = new Map<string, string[]>()
  const requests: string[] = []
  const add = (text: string) => {
    const found = texts.indexOf(text)
    return 100 + (found < 0 ? texts.push(text) - 1 : found)
  }
  const answer = (path: string, body: string): [status: number, body: object] => {
    const [, kind, name, what] = path.split('/')
    if (kind === 'subjects' && what === 'versions') {
      const { schema } = JSON.parse(body) as { schema: string }
      const subject = decodeURIComponent(name!)
      const versions = subjects.get(subject) ?? []
      if (!versions.includes(schema)) subjects.set(subject, [...versions, schema])
      return [200, { id: add(schema) }]
    }
    const schema = texts[Number(what) - 100]
    if (kind === 'schemas' && schema !== undefined) return [200, { schema }]
    return [404, { error_code: 40403, message: 'Schema not found' }]
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      requests.push([method, url, headers.authorization ?? ''].join(' ').trim())
      const [status, body] = answer(url, Buffer.concat(chunks).toString())
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
      response.end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    subjects,
    requests,
    add,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
