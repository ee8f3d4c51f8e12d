import { schemaErrors } from './errors.ts'

/** The two calls that we need of a schema registry in Confluent's REST form. */

const TIMEOUT_MS = 10_000

async function call(registryUrl: string, path: string, body?: object): Promise<unknown> {
  const url = new URL(path, registryUrl.endsWith('/') ? registryUrl : `${registryUrl}/`)
  const headers = new Headers({ accept: 'application/vnd.schemaregistry.v1+json' })
  if (url.username !== '') {
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    headers.set('authorization', `Basic ${Buffer.from(login).toString('base64')}`)
    url.username = url.password = ''
  }
  if (body !== undefined) headers.set('content-type', 'application/vnd.schemaregistry.v1+json')
  let status = 0
  let text = ''
  try {
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    status = response.status
    text = await response.text()
  } catch (error) {
    throw schemaErrors.registry({ url: url.href, status, detail: String(error) }, error)
  }
  if (status !== 200) throw schemaErrors.registry({ url: url.href, status, detail: text })
  return JSON.parse(text)
}

/** Registers a schema under a subject, or finds it there. Answers its id. */
export async function registerSchema(
  registryUrl: string,
  subject: string,
  schema: string,
): Promise<number> {
  const path = `subjects/${encodeURIComponent(subject)}/versions`
  const answer = (await call(registryUrl, path, { schema })) as { id: number }
  return answer.id
}

/** The text of the schema with this id. */
export async function writerSchema(registryUrl: string, id: number): Promise<string> {
  const answer = (await call(registryUrl, `schemas/ids/${id}`)) as { schema: string }
  return answer.schema
}
