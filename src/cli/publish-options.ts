import type { Config } from '../kernel/config.ts'
import { isName } from '../kernel/ids.ts'
import { cliErrors } from './errors.ts'
import { type CliIo, note } from './io.ts'

/** What replay and simulate have in common. */

/** The bridge that `meterloom start` runs. */
export function listenerUrl(config: Config): string {
  const { bindAddress, mqttPort } = config
  const isAny = bindAddress === '0.0.0.0' || bindAddress === '::'
  const host = isAny ? '127.0.0.1' : bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress
  return `mqtt://${host}:${mqttPort}`
}

/** A parser for an option that is a whole number. */
export function whole(option: string, min: number, max: number): (value: string) => number {
  return (value) => {
    const n = Number(value)
    if (value.trim() === '' || !Number.isInteger(n) || n < min || n > max) {
      throw cliErrors.badArgument({ option, value, wants: `a whole number from ${min} to ${max}` })
    }
    return n
  }
}

/** A parser for an option that becomes a part of names on the log. */
export function name(option: string): (value: string) => string {
  return (value) => {
    if (isName(value)) return value
    throw cliErrors.badArgument({
      option,
      value,
      wants: 'a name without / + # and control characters',
    })
  }
}

/** A time zone that this machine knows. */
export function zone(value: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value }).format(0)
    return value
  } catch {
    const wants = 'an IANA name, such as Europe/Berlin, or UTC'
    throw cliErrors.badArgument({ option: '--zone', value, wants })
  }
}

/** Times real time; Infinity for `max`. */
export function speed(value: string): number {
  const n = value === 'max' ? Infinity : Number(value)
  if (n > 0 && value.trim() !== '') return n
  throw cliErrors.badArgument({ option: '--speed', value, wants: 'a number above 0, or max' })
}

/** Tells once of each trouble that lasts: a hundred connections have the same. */
export function tellTrouble(io: CliIo, url: string): (why: string) => void {
  let lastMs = -Infinity
  return (why) => {
    if (performance.now() - lastMs < 5_000) return
    lastMs = performance.now()
    note(io, `${url}: no connection (${why}); trying again`)
  }
}
