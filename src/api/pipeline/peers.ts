import { messageOf } from '../../kernel/errors.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Peer } from '../ready-of-all.ts'
import { Samples } from './samples.ts'

/** What one role says of itself, or why it does not. */
export interface PeerReport {
  readonly name: string
  /** Undefined where nobody knows: it never answered, and its name does not say. */
  readonly role: string | undefined
  /** Why it is not ready; none where it is. */
  readonly reasons: readonly string[]
  /** Undefined where they could not be had. */
  readonly samples: Samples | undefined
}

const ROLES: readonly string[] = ['bridge', 'processor', 'worker']

/** Asks the other roles for /ready and /metrics. */
export class Peers {
  private readonly peers: readonly Peer[]
  private readonly headers: Readonly<Record<string, string>>
  /** As each said last, for when it does not answer. */
  private readonly roles = new Map<string, string>()

  constructor(peers: readonly Peer[], scrapeToken: string | undefined) {
    this.peers = peers
    this.headers = scrapeToken === undefined ? {} : { authorization: `Bearer ${scrapeToken}` }
    for (const { name, url } of peers) if (ROLES.includes(name)) this.roles.set(url, name)
  }

  report(): Promise<readonly PeerReport[]> {
    return Promise.all(this.peers.map((peer) => this.ask(peer)))
  }

  private async ask(peer: Peer): Promise<PeerReport> {
    const [ready, metrics] = await Promise.all([this.askReady(peer), this.askMetrics(peer)])
    const role = this.roles.get(peer.url)
    const reasons = typeof metrics === 'string' ? [...ready, metrics] : ready
    const samples = typeof metrics === 'string' ? undefined : metrics
    return { name: peer.name, role, reasons: [...new Set(reasons)], samples }
  }

  /** @returns Why it is not ready. */
  private async askReady({ url }: Peer): Promise<readonly string[]> {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(LIMITS.probeTimeoutMs) })
      const said = (await response.json()) as { role?: unknown; reasons?: unknown }
      if (typeof said.role === 'string') this.roles.set(url, said.role)
      if (response.ok) return []
      const reasons = Array.isArray(said.reasons) ? said.reasons.map(String) : []
      return reasons.length > 0 ? reasons : [`${url} answers ${response.status}`]
    } catch (error) {
      return [noAnswer(url, error)]
    }
  }

  /** @returns What it counts, or why that is not known. */
  private async askMetrics({ url: readyUrl }: Peer): Promise<Samples | string> {
    const url = new URL('metrics', readyUrl).href
    const { headers } = this
    try {
      const signal = AbortSignal.timeout(LIMITS.probeTimeoutMs)
      const response = await fetch(url, { headers, signal })
      const text = await response.text()
      if (response.ok) return new Samples(text)
      const remedy = response.status === 401 ? '; give all roles the same SCRAPE_TOKEN' : ''
      return `${url} answers ${response.status}${remedy}`
    } catch (error) {
      // Both are one server: where it does not answer, that is said once.
      return noAnswer(readyUrl, error)
    }
  }
}

function noAnswer(url: string, error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return `${url} does not answer (${messageOf(cause ?? error)})`
}
