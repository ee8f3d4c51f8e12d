import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { messageOf } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Authenticator } from './auth.ts'
import { bridgeErrors } from './errors.ts'
import type { Principal } from './inbound.ts'

/**
 * Devices and their rights in a JSON file. A device's MQTT user name is its `name`, its password a
 * token.
 *
 *     { "devices": [ { "name": "gateway-7",
 *                      "tokenHashes": ["sha256:..."],
 *                      "publish": [ { "tenant": "demo", "meters": ["m-1", "roof-*"] } ] } ] }
 *
 * The hash is plain SHA-256, since a token is random and not a person's password: there is nothing
 * to be guessed, and thousands of devices that come back at once would keep scrypt busy for
 * minutes.
 *
 * Read at the start alone: a bridge may be restarted at any time without losing a reading.
 */

const PREFIX = 'sha256:'
const HASH = /^sha256:[0-9a-f]{64}$/
/** Of a name that nobody has, so that its check takes the same way. */
const NOBODY: readonly Buffer[] = [randomBytes(32)]

/** A new token: 32 random bytes, 43 characters. */
export function makeToken(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * What stands in the file for a token.
 *
 * @throws bridge.weakToken
 */
export function hashToken(token: string): string {
  const { length } = token
  const min = LIMITS.tokenCharactersMin
  if (length < min) throw bridgeErrors.weakToken({ length, min })
  return PREFIX + digestOf(token).toString('hex')
}

/** @throws bridge.noCredentials, bridge.badCredentials naming the place in the file. */
export async function loadCredentials(file: string): Promise<Authenticator> {
  let parsed: unknown
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw bridgeErrors.noCredentials({ file, detail: messageOf(error) }, error)
  }
  const devices = readDevices(file, parsed)
  return {
    authenticate(_clientId, username, password) {
      const device = devices.get(username ?? '')
      const given = digestOf(password ?? '')
      let isRight = false
      for (const hash of device?.hashes ?? NOBODY) {
        if (timingSafeEqual(hash, given)) isRight = true
      }
      return Promise.resolve(isRight ? device?.principal : undefined)
    },
  }
}

function digestOf(token: string | Buffer): Buffer {
  return createHash('sha256').update(token).digest()
}

interface Device {
  readonly hashes: readonly Buffer[]
  readonly principal: Principal
}

function readDevices(file: string, parsed: unknown): Map<string, Device> {
  const wrong = (place: string, value: unknown, wants: string) =>
    bridgeErrors.badCredentials({ file, place, value: said(value), wants })
  const list = (place: string, value: unknown, wants: string): readonly unknown[] => {
    if (!Array.isArray(value) || value.length === 0) throw wrong(place, value, wants)
    return value
  }
  const text = (place: string, value: unknown, wants: string): string => {
    if (typeof value !== 'string' || value === '') throw wrong(place, value, wants)
    return value
  }
  const found = new Map<string, Device>()
  const entries = fieldsOf(parsed)['devices']
  list('devices', entries, 'a list of devices').forEach((entry, i) => {
    const place = `devices[${i}]`
    const fields = fieldsOf(entry)
    const name = text(`${place}.name`, fields['name'], 'the MQTT user name of the device')
    if (found.has(name)) throw wrong(`${place}.name`, name, 'a name that no other device has')
    const hashesWanted = 'a list of hashes, each `sha256:` and 64 hex digits'
    const hashes = list(`${place}.tokenHashes`, fields['tokenHashes'], hashesWanted).map((hash) => {
      const written = text(`${place}.tokenHashes`, hash, hashesWanted)
      if (!HASH.test(written)) throw wrong(`${place}.tokenHashes`, written, hashesWanted)
      return Buffer.from(written.slice(PREFIX.length), 'hex')
    })
    const rightsWanted =
      'a list of {"tenant": ..., "meters": [...]}, where * stands for any characters'
    const rights = list(`${place}.publish`, fields['publish'], rightsWanted).map((right, k) => {
      const at = `${place}.publish[${k}]`
      const tenant = text(`${at}.tenant`, fieldsOf(right)['tenant'], 'a tenant or a pattern')
      const meters = list(`${at}.meters`, fieldsOf(right)['meters'], 'a list of meters or patterns')
      const patterns = meters.map((meter) => text(`${at}.meters`, meter, 'a meter or a pattern'))
      return { tenant, meters: patterns }
    })
    found.set(name, { hashes, principal: principalOf(name, rights) })
  })
  return found
}

function said(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

type Right = { readonly tenant: string; readonly meters: readonly string[] }

function principalOf(name: string, rights: readonly Right[]): Principal {
  const patterns = rights.map(({ tenant, meters }) => ({
    tenant: patternOf([tenant]),
    meters: patternOf(meters),
  }))
  return {
    name,
    mayPublish: (tenant, meterId) =>
      patterns.some((right) => right.tenant.test(tenant) && right.meters.test(meterId)),
  }
}

/**
 * One expression for all patterns of a list. `*` stands for any characters; a name holds no slash.
 */
function patternOf(patterns: readonly string[]): RegExp {
  const escaped = patterns.map((pattern) =>
    pattern
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('[^/]*'),
  )
  return new RegExp(`^(?:${escaped.join('|')})$`, 'u')
}
