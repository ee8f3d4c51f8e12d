import type { Command } from 'commander'
import { systemClock } from '../kernel/time.ts'
import type { ReplayOptions, ReplaySummary } from '../tools/replay.ts'
import { cliErrors } from './errors.ts'
import { type CliIo, type Register, cliConfig, note, print } from './io.ts'
import { listenerUrl, name, speed, tellTrouble, whole, zone } from './publish-options.ts'
import { publishProgress } from './publish-progress.ts'
import { EXIT_FAILED } from './run.ts'

const EXIT_INTERRUPTED = 130
/** Refused rows that are shown one by one; all are counted. */
const SHOWN_MAX = 10

const HELP = `
Forms of a file, plain or as .gz:
  timestamp,power_w,temp_c          the meter is the file's name, a channel is a column's name
  timestamp,value                   'value' is called as --channel says
  meter_id,at,channel,value[,quality]
Columns 'anomaly' and 'kind' are left out. Empty, NA, NaN, null and - are no reading. What is no
time or no number is refused, told with file and line, and counted; the rest goes on.

Examples:
  meterloom replay shed.csv --channel power_w --zone Europe/Berlin
  meterloom replay data/*.csv.gz                        all of it, as fast as it is acknowledged
  meterloom replay data/*.csv.gz --until now --speed 60 the last weeks again, a minute a second
  meterloom replay export.csv.gz --ledger acked.jsonl && meterloom verify --ledger acked.jsonl

A local time that its zone leaves out in spring is refused and counted; one that it has twice in
autumn is read as the first, so that two rows may fall on one identity: the later one wins.

Exit code: 0 all published, 1 rows were refused as bad or publishing failed, 2 wrong usage,
130 interrupted.`

interface Flags {
  readonly tenant: string
  readonly channel: string
  readonly zone: string
  readonly speed?: number
  readonly until?: string
  readonly url?: string
  readonly connections: number
  readonly window: number
  readonly ledger?: string
  readonly json?: boolean
}

export const register: Register = (program, io) => {
  const command: Command = program
    .command('replay')
    .description('Publish CSV files of readings over MQTT')
    .argument('<file...>', 'CSV files, .gz too')
    .option('--tenant <name>', 'tenant of the meters', name('--tenant'), 'demo')
    .option('--channel <name>', "channel of the column 'value'", name('--channel'), 'value')
    .option('--zone <name>', 'zone of times that have none, such as Europe/Berlin', zone, 'UTC')
    .option('--speed <n>', 'times real time, or max: as fast as acknowledged (default: max)', speed)
    .option('--until <now>', 'shift by whole weeks, so that the last reading lies just before now')
    .option('--url <url>', 'MQTT listener, mqtt://[user:password@]host:port (default: the bridge)')
    .option('--connections <n>', 'MQTT connections', whole('--connections', 1, 10_000), 8)
    .option('--window <n>', 'publishes in flight on each', whole('--window', 1, 16_384), 64)
    .option('--ledger <file>', 'note what was acknowledged, for meterloom verify')
    .option('--json', 'the summary for programs')
    .addHelpText('after', HELP)
  command.action((files: readonly string[], flags: Flags) => run(io, files, flags))
}

async function run(io: CliIo, files: readonly string[], flags: Flags): Promise<void> {
  if (flags.until !== undefined && flags.until !== 'now') {
    throw cliErrors.badArgument({ option: '--until', value: flags.until, wants: 'now' })
  }
  const { replay } = await import('../tools/replay.ts')
  const url = flags.url ?? listenerUrl(cliConfig(io))
  const progress = await publishProgress(io, 'replay')
  let shown = 0
  const options: ReplayOptions = {
    ...flags,
    files,
    speed: flags.speed ?? Infinity,
    url,
    untilNow: flags.until === 'now',
    ledger: flags.ledger,
    clock: systemClock,
    signal: io.interrupted,
    onTrouble: tellTrouble(io, url.replace(/\/\/.*@/, '//')),
    onRefused: (at, refusal, value) => {
      shown += 1
      if (shown <= SHOWN_MAX) note(io, `${at}: ${refusal} '${value.slice(0, 100)}'`)
      if (shown === SHOWN_MAX) note(io, 'further ones are counted only')
    },
    onProgress: ({ phase, bytes, bytesTotal, readings }) => {
      const done = phase === 'looking' ? 'looking for the last reading' : `${readings} readings`
      progress.update(bytes, bytesTotal, done)
    },
  }
  let summary: ReplaySummary
  try {
    summary = await replay(options)
  } finally {
    progress.stop()
  }
  if (flags.json) print(io, JSON.stringify(summary))
  else for (const line of told(summary)) print(io, line)
  io.setExitCode(codeOf(summary))
}

/** What a zone leaves out in spring is no fault of the file. */
function codeOf({ refused, interrupted }: ReplaySummary): number {
  if (interrupted) return EXIT_INTERRUPTED
  const isBad = Object.entries(refused).some(
    ([reason, count]) => count > 0 && reason !== 'no_such_local_time',
  )
  return isBad ? EXIT_FAILED : 0
}

function told(summary: ReplaySummary): string[] {
  const { acknowledged, measurements, publishes, seconds, refused } = summary
  const rate = Math.round(summary.readingsPerSecond)
  // Read ahead and published are the same only at the end.
  const all = summary.interrupted ? '' : `(${measurements} measurements) `
  const lines = [
    `${acknowledged} readings ${all}of ${summary.files} files acknowledged ` +
      `in ${publishes} publishes, ${seconds.toFixed(1)} s, ${rate} readings/s`,
  ]
  if (summary.shiftWeeks !== 0) lines.push(`shifted by ${summary.shiftWeeks} weeks`)
  if (summary.resent > 0)
    lines.push(`${summary.resent} publishes sent again after lost connections`)
  if (summary.blanks > 0) lines.push(`${summary.blanks} empty values: no reading`)
  for (const [reason, count] of Object.entries(refused)) {
    if (count > 0) lines.push(`refused: ${reason} ${count}`)
  }
  if (summary.repeatedLocalTimes > 0) {
    lines.push(
      `${summary.repeatedLocalTimes} rows have a local time that is shown twice, read as the ` +
        `first; ${summary.sameIdentity} of them have the identity of an earlier row and replace it`,
    )
  }
  if (summary.interrupted) lines.push('interrupted before the end')
  return lines
}
