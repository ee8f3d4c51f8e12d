import { isIP } from 'node:net'
import { BlockList } from 'node:net'
import type { Principal } from './inbound.ts'

/** The port of device authentication: who is it, and for which meters may it speak. */
export interface Authenticator {
  /** Undefined: refused. The promise does not reject for what a device sent. */
  authenticate(
    clientId: string,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<Principal | undefined>
}

/** Everybody, for everything: where nobody but this machine can reach the bridge. */
export const openPrincipal: Principal = { name: 'open', mayPublish: () => true }

export const openAuthenticator: Authenticator = {
  authenticate: () => Promise.resolve(openPrincipal),
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Whether only this machine can reach what listens on `address`. */
export function isLoopback(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return address === 'localhost'
  return LOOPBACK.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
