import { join } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../kernel/time.ts'
import { FAULTS, FAULT_NAMES, type FaultName, type FaultRates } from '../tools/simulate/faults.ts'
import { SAMPLE_FLEET, SAMPLE_HISTORY_SECONDS } from '../tools/simulate/sample.ts'
import type { SimulateOptions, SimulateSummary } from '../tools/simulate/simulate.ts'
import { cliErrors } from './errors.ts'
import { type CliIo, type Register, cliConfig, note, print } from './io.ts'
import { listenerUrl, name, speed, tellTrouble, whole, zone } from './publish-options.ts'
import { publishProgress } from './publish-progress.ts'

const EXIT_INTERRUPTED = 130
const SECONDS_A_DAY = 86_400

const HELP = `
Meters are named sim-0001, sim-0002, ...: 65 % households (BDEW H25, some with a car), 20 % commerce
(G25), 15 % households with solar panels (P25). Channels: power_w, voltage_v, energy_register_wh,
export_total_wh. The same options give the same readings.

The fleet's time never passes the real one: where it has caught up, it goes on live. Where no
--start is given, it begins now; with --speed above 1, as long ago as --duration says, or a day ago.

Faults, as NAME or NAME=RATE, comma separated, or all (without a rate: the one in brackets):
${FAULT_NAMES.map((fault) => faultLine(fault)).join('\n')}

Examples:
  meterloom simulate                                     50 meters, live, until Ctrl-C
  meterloom simulate --meters 1000 --history 7d          a week as fast as it goes, then live
  meterloom simulate --start 2026-10-24T12:00:00Z --duration 1d --speed max --faults all \\
    --ledger acked.jsonl && meterloom verify --ledger acked.jsonl
  meterloom simulate --meters 50 --write-meters meters.json   what METERS_FILE may say of them

Exit code: 0 done, 1 publishing failed, 2 wrong usage, 130 interrupted.`

interface Flags {
  readonly meters: number
  readonly interval: number
  readonly seed: number
  readonly speed?: number
  readonly start?: number
  readonly duration?: number
  readonly until?: number
  readonly history?: number
  readonly faults?: FaultRates
  readonly zone: string
  readonly tenant: string
  readonly ledger?: string
  readonly writeMeters?: string
  readonly sample?: boolean
  readonly url?: string
  readonly connections: number
  readonly window: number
  readonly json?: boolean
}

export const register: Register = (program, io) => {
  const command: Command = program
    .command('simulate')
    .description('Publish as a fleet of virtual meters, with faults on demand')
    .option('--meters <n>', 'how many', whole('--meters', 1, 1_000_000), 50)
    .option('--interval <s>', 'seconds between readings', whole('--interval', 1, SECONDS_A_DAY), 60)
    .option('--seed <n>', 'another one is another fleet', whole('--seed', 0, 2 ** 31 - 1), 1)
    .option('--speed <n>', 'times real time, or max (default: 1)', speed)
    .option('--start <time>', 'ISO time with its zone, or now', moment('--start'))
    .option('--duration <d>', 'such as 90s, 30m, 12h, 7d', duration('--duration'))
    .option('--until <time>', 'ISO time with its zone, or now', moment('--until'))
    .option(
      '--history <d>',
      'begin so long ago, at full speed, then go live',
      duration('--history'),
    )
    .option('--faults <list>', 'faults and their rates, see below (default: none)', faultRates)
    .option('--zone <name>', 'zone whose local time people live by', zone, 'Europe/Berlin')
    .option('--tenant <name>', 'tenant of the meters', name('--tenant'), 'demo')
    .option('--ledger <file>', 'note what was acknowledged, for meterloom verify')
    .option('--write-meters <file>', 'write the fleet as METERS_FILE wants it, publish nothing')
    .option(
      '--sample',
      "npm start's: 200 meters, a week of history, then live, goes on where it was",
    )
    .option('--url <url>', 'MQTT listener, mqtt://[user:password@]host:port (default: the bridge)')
    .option('--connections <n>', 'MQTT connections', whole('--connections', 1, 10_000), 16)
    .option('--window <n>', 'publishes in flight on each', whole('--window', 1, 16_384), 64)
    .option('--json', 'the summary for programs')
    .addHelpText('after', HELP)
  command.action((flags: Flags) =>
    flags.writeMeters === undefined
      ? run(io, flags.sample === true ? { ...flags, history: SAMPLE_HISTORY_SECONDS } : flags)
      : writeMeters(io, flags, flags.writeMeters),
  )
}

async function run(io: CliIo, flags: Flags): Promise<void> {
  const { simulate } = await import('../tools/simulate/simulate.ts')
  const config = cliConfig(io)
  const url = flags.url ?? listenerUrl(config)
  const progress = await publishProgress(io, 'simulate')
  const options: SimulateOptions = {
    ...timesOf(flags, Math.floor(systemClock.nowMicros() / 1_000_000)),
    fleet: fleetOf(flags),
    ...{ url, connections: flags.connections, window: flags.window, ledger: flags.ledger },
    stateFile: flags.sample === true ? join(config.dataDir, 'sample.json') : undefined,
    clock: systemClock,
    signal: io.interrupted,
    onTrouble: tellTrouble(io, url.replace(/\/\/.*@/, '//')),
    onProgress: ({ phase, second, start, until, acknowledged }) => {
      // Live is normal operation, which says nothing, unless it has an end to come to.
      if (phase === 'live' && until === Infinity) progress.stop()
      else progress.update(second - start, until - start, `${acknowledged} readings`)
    },
  }
  let summary: SimulateSummary
  try {
    summary = await simulate(options)
  } finally {
    progress.stop()
  }
  if (flags.json) print(io, JSON.stringify(summary))
  else print(io, told(summary))
  // The sample has no other end than this one.
  if (summary.interrupted && flags.sample !== true) io.setExitCode(EXIT_INTERRUPTED)
}

async function writeMeters(io: CliIo, flags: Flags, file: string): Promise<void> {
  const { Fleet } = await import('../tools/simulate/fleet.ts')
  const { registeredMeters } = await import('../tools/simulate/registered.ts')
  const { writeFile } = await import('node:fs/promises')
  const fleet = new Fleet(fleetOf(flags))
  await writeFile(file, `${JSON.stringify(registeredMeters(fleet), null, 2)}\n`)
  note(io, `${file}: ${fleet.meters.length} meters`)
}

function fleetOf(flags: Flags): SimulateOptions['fleet'] {
  if (flags.sample === true) return SAMPLE_FLEET
  const { seed, meters, interval, zone, tenant, faults = {} } = flags
  return { seed, meters, intervalSeconds: interval, zone, tenant, faults }
}

/** Seconds since 1970: what was said, and what follows from it. */
function timesOf(flags: Flags, now: number): { start: number; end: number; speed: number } {
  const { duration: length, until, history } = flags
  const speedWanted = flags.speed ?? (history === undefined ? 1 : Infinity)
  if (history !== undefined && flags.start !== undefined) {
    const value = String(history)
    throw cliErrors.badArgument({ option: '--history', value, wants: 'left out beside --start' })
  }
  const isFast = speedWanted > 1 && history === undefined
  const before = history ?? (isFast ? (length ?? SECONDS_A_DAY) : 0)
  const start = flags.start ?? (isFast && until !== undefined ? until : now) - before
  return {
    start,
    end: until ?? (length === undefined ? Infinity : start + length),
    speed: speedWanted,
  }
}

function told(summary: SimulateSummary): string {
  const { acknowledged, publishes, poison, meters, seconds } = summary
  const iso = (second: number) => new Date(second * 1_000).toISOString()
  return (
    `${acknowledged} readings of ${meters} simulated meters, ${iso(summary.start)} to ` +
    `${iso(summary.end)}, acknowledged in ${publishes} publishes (${poison} of them poison), ` +
    `${seconds.toFixed(1)} s, ${Math.round(summary.readingsPerSecond)} readings/s`
  )
}

function moment(option: string): (value: string) => number {
  return (value) => {
    const hasZone = value === 'now' || /(?:Z|[+-]\d\d:?\d\d)$/.test(value)
    const millis = value === 'now' ? Date.now() : Date.parse(value)
    if (hasZone && !Number.isNaN(millis)) return Math.floor(millis / 1_000)
    const wants = 'now or a time with its zone, such as 2026-11-20T00:00:00Z'
    throw cliErrors.badArgument({ option, value, wants })
  }
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: SECONDS_A_DAY }

function duration(option: string): (value: string) => number {
  return (value) => {
    const [, count = '', of = ''] = /^(\d{1,9})([smhd])$/.exec(value) ?? []
    const seconds = Number(count) * (UNIT_SECONDS[of] ?? 0)
    if (seconds > 0) return seconds
    throw cliErrors.badArgument({
      option,
      value,
      wants: 'a length of time such as 90s, 30m, 12h or 7d',
    })
  }
}

function faultRates(list: string): FaultRates {
  const rates: Partial<Record<FaultName, number>> = {}
  for (const part of list.split(',')) {
    const [fault = '', text] = part.trim().split('=')
    const rate = text === undefined || text.trim() === '' ? undefined : Number(text)
    const names = fault === 'all' ? FAULT_NAMES : FAULT_NAMES.filter((known) => known === fault)
    const isRate = text === undefined || (rate !== undefined && rate >= 0 && rate <= 1)
    if (names.length === 0 || !isRate) {
      const wants = `some of ${FAULT_NAMES.join(', ')} or all, each with a rate from 0 to 1 or none`
      throw cliErrors.badArgument({ option: '--faults', value: part, wants })
    }
    for (const each of names) rates[each] = rate ?? FAULTS[each].rate
  }
  return rates
}

function faultLine(fault: FaultName): string {
  const { rate, per, what } = FAULTS[fault]
  return `  ${fault.padEnd(12)} [${rate} a ${per}] ${what}`
}
