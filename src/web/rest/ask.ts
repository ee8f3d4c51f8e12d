import { problemOf, unreachable } from './problem.ts'

export type Params = Readonly<Record<string, string | number | boolean | undefined>>

export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

let skewMs = 0

/** The server's clock, ms: the page's own may be wrong. */
export const serverNowMs = () => Date.now() + skewMs

/** @throws ProblemError; the signal's reason where it was aborted. */
export async function ask<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') query.set(name, String(value))
  }
  const url = query.size === 0 ? path : `${path}?${query}`
  const askedMs = Date.now()
  const { response, text } = await answerOf(url, signal)
  if (!response.ok) throw problemOf(response.status, text)
  learnSkew(response, askedMs)
  try {
    return JSON.parse(text) as T
  } catch {
    throw problemOf(response.status, text)
  }
}

/** The whole answer; a line may also be cut in the middle of it. */
async function answerOf(url: string, signal?: AbortSignal) {
  try {
    const response = await fetch(url, signal === undefined ? {} : { signal })
    return { response, text: await response.text() }
  } catch (error) {
    throw signal?.aborted === true ? error : unreachable(error)
  }
}

/** The header tells whole seconds: within two of them the page's own clock is taken to be right. */
function learnSkew(response: Response, askedMs: number): void {
  const saidMs = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(saidMs)) return
  const offMs = saidMs + 500 - (askedMs + Date.now()) / 2
  skewMs = Math.abs(offMs) < 2_000 ? 0 : offMs
}

/** All pages of a query, up to so many items; `next` is where it stopped. */
export async function askAll<T>(
  path: string,
  params: Params,
  itemsMax: number,
  signal?: AbortSignal,
): Promise<Page<T>> {
  const items: T[] = []
  let next: string | null = null
  do {
    const page: Page<T> = await ask(path, { ...params, cursor: next ?? undefined }, signal)
    items.push(...page.items)
    next = page.next
  } while (next !== null && items.length < itemsMax)
  return { items, next }
}
