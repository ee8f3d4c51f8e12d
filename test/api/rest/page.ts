import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PAGE = join(import.meta.dirname, '../../../docs/api.md')

export const pageText = readFileSync(PAGE, 'utf8')

/** An example of docs/api.md: one call of curl. */
export interface Example {
  readonly command: string
  /** Below the api's address. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Whether the page says that it is refused. */
  readonly isRefused: boolean
}

export function examplesOfPage(): readonly Example[] {
  const blocks = pageText.matchAll(/^```sh( refused)?\n([\s\S]*?)^```/gm)
  return [...blocks].flatMap(([, refused, lines]) =>
    lines!
      .trim()
      .split('\n')
      .map((command) => ({ ...exampleOf(command), isRefused: refused !== undefined })),
  )
}

/** Understands what the page uses of curl, and nothing else. */
function exampleOf(command: string): Omit<Example, 'isRefused'> {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, text, word]) => text ?? word!)
  if (words.shift() !== 'curl') throw new Error(`no call of curl: ${command}`)
  const headers: Record<string, string> = {}
  const data: string[] = []
  let url = ''
  let isGet = false
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-G') isGet = true
    else if (word === '-o') words.shift()
    else if (word === '-H') {
      const [name, value] = words.shift()!.split(': ')
      headers[name!] = value!
    } else if (word === '--data-urlencode') {
      const [name, value] = words.shift()!.split('=')
      data.push(`${name!}=${encodeURIComponent(value!)}`)
    } else if (word.startsWith('http://127.0.0.1:8080/')) url = word
    else throw new Error(`${word} in: ${command}`)
  }
  if (url === '' || isGet !== data.length > 0) throw new Error(`not understood: ${command}`)
  const query = isGet ? `?${data.join('&')}` : ''
  return { command, path: url.slice('http://127.0.0.1:8080'.length) + query, headers }
}
