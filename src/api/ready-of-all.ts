import { LIMITS } from '../kernel/limits.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Readiness } from '../ops/role.ts'
import { processorPort } from '../ops/serve-ops.ts'

/** A role as the api asks for it: what it is called in reasons, and where its /ready is. */
export interface Peer {
  readonly name: string
  readonly url: string
}

interface PeerSettings {
  readonly readyUrls: readonly string[]
  readonly opsBindAddress: string
  readonly bridgeOpsPort: number
  readonly processorOpsPort: number
  readonly processorInstances: number
  readonly workerOpsPort: number
}

/** The roles of READY_URLS; by default those that run on this machine. */
export function peersOf(config: PeerSettings): readonly Peer[] {
  if (config.readyUrls.length > 0) {
    return config.readyUrls.map((url) => ({ name: new URL(url).host, url }))
  }
  // An address that means all interfaces is none to call.
  const everywhere = config.opsBindAddress === '0.0.0.0' || config.opsBindAddress === '::'
  const address = everywhere ? '127.0.0.1' : config.opsBindAddress
  const host = address.includes(':') ? `[${address}]` : address
  const local = (name: string, port: number) => ({ name, url: `http://${host}:${port}/ready` })
  return [
    local('bridge', config.bridgeOpsPort),
    ...Array.from({ length: config.processorInstances }, (_, index) =>
      local(index === 0 ? 'processor' : `processor-${index + 1}`, processorPort(config, index)),
    ),
    local('worker', config.workerOpsPort),
  ]
}

/** Asks one role. What it does not answer is a reason too. */
async function askPeer({ name, url }: Peer): Promise<readonly string[]> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LIMITS.probeTimeoutMs) })
    const body = (await response.json()) as { reasons?: unknown }
    if (response.ok) return []
    const reasons = Array.isArray(body.reasons) ? body.reasons.map(String) : []
    if (reasons.length === 0) return [`${name}: HTTP status ${response.status}`]
    return reasons.map((reason) => `${name}: ${reason}`)
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    return [`${name}: ${url} does not answer (${messageOf(cause ?? error)})`]
  }
}

/** Whether all roles are ready, this one and its peers. */
export async function readyOfAll(own: Readiness, peers: readonly Peer[]): Promise<Readiness> {
  const asked = await Promise.all(peers.map(askPeer))
  const reasons = [...own.reasons.map((reason) => `api: ${reason}`), ...asked.flat()]
  return { ready: own.ready && reasons.length === 0, reasons }
}
