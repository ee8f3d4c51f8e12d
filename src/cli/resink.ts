import { createInterface } from 'node:readline/promises'
import type { Readable } from 'node:stream'
import { type Micros, formatMicros } from '../kernel/time.ts'
import type { Resinkable } from '../tools/resink.ts'
import type { ResinkReport } from '../tools/resink.ts'
import type { EventRange } from '../tools/resink/range.ts'
import { cliErrors } from './errors.ts'
import { type CliIo, type Register, cliConfig, note, print } from './io.ts'
import { publishProgress } from './publish-progress.ts'
import { EXIT_FAILED, EXIT_USAGE } from './run.ts'

const EXIT_INTERRUPTED = 130

const HELP = `
TABLE is readings, windows, baselines or anomalies. Times are event times (of the reading, or of
the window's start), with their zone: 2026-11-20, 2026-11-20T06:00Z, 2026-11-20T07:00+01:00.
A date alone begins in UTC.

Rows are written again over those of the same identity; none is deleted, and running it twice
changes nothing. Processors may run meanwhile. What the log no longer retains is not rebuilt: it
is said which partitions begin later.

Examples:
  meterloom resink windows --from 2026-11-20
  meterloom resink readings --from 2026-11-20T06:00Z --to 2026-11-20T09:00Z --yes

Exit code: 0 rebuilt, 1 rows of the range still change, or it failed, 2 wrong usage,
130 interrupted.`

interface Flags {
  readonly from: string
  readonly to?: string
  readonly yes?: boolean
  readonly json?: boolean
}

const DATE = /^\d{4}-\d\d-\d\d$/

/** Microseconds of a date (in UTC) or of a time with its zone. */
async function timeOf(option: string, value: string): Promise<Micros> {
  const { parseTime } = await import('../bridge/formats/time-text.ts')
  try {
    return parseTime(DATE.test(value) ? `${value}T00:00:00Z` : value)
  } catch {
    throw cliErrors.badArgument({ option, value, wants: 'a date, or a time with its zone' })
  }
}

async function rangeOf({ from, to }: Flags): Promise<EventRange> {
  const range = {
    from: await timeOf('--from', from),
    to: to === undefined ? Infinity : await timeOf('--to', to),
  }
  if (range.from < range.to) return range
  throw cliErrors.badArgument({ option: '--to', value: to ?? '', wants: `later than ${from}` })
}

async function tableOf(value: string): Promise<Resinkable> {
  const { RESINKABLE } = await import('../tools/resink.ts')
  const found = RESINKABLE.find((name) => name === value)
  if (found !== undefined) return found
  const wants = `one of ${RESINKABLE.join(', ')}`
  throw cliErrors.badArgument({ option: 'TABLE', value, wants })
}

export const register: Register = (program, io) => {
  program
    .command('resink')
    .description('Write rows of QuestDB again, from what the log retains')
    .argument('<table>', 'readings, windows, baselines or anomalies')
    .requiredOption('--from <time>', 'event time of the first rows')
    .option('--to <time>', 'event time before which the last rows lie (default: all)')
    .option('--yes', 'do not ask')
    .option('--json', 'the result for programs')
    .addHelpText('after', HELP)
    .action(async (table: string, flags: Flags) => {
      const { topicOf } = await import('../tools/resink.ts')
      const { topicNames } = await import('../log/topics.ts')
      const name = await tableOf(table)
      const range = await rangeOf(flags)
      const config = cliConfig(io)
      const topic = topicOf(name, topicNames(config.topicPrefix))
      const until = range.to === Infinity ? '' : ` to ${formatMicros(range.to)}`
      const plan =
        `Rows of ${config.tablePrefix}${name} from ${formatMicros(range.from)}${until} are ` +
        `written again from topic ${topic}.`
      if (flags.yes !== true && !(await agreed(io, plan))) return
      const report = await run(io, name, range)
      if (report === undefined) return
      if (flags.json) print(io, JSON.stringify(report))
      else for (const line of linesOf(report)) print(io, line)
      if (!report.settled) io.setExitCode(EXIT_FAILED)
    })
}

/** Asks at a terminal; elsewhere nobody could answer. */
async function agreed(io: CliIo, plan: string): Promise<boolean> {
  if (!io.terminal || !process.stdin.isTTY) {
    note(io, `${plan} Nobody is here to agree: say so by --yes.`)
    io.setExitCode(EXIT_USAGE)
    return false
  }
  const input: Readable = process.stdin
  const question = createInterface({ input, output: io.stderr })
  try {
    const answer = await question.question(`${plan} Go on? [y/N] `, { signal: io.interrupted })
    if (/^y(es)?$/i.test(answer.trim())) return true
    note(io, 'Nothing was done.')
  } catch {
    io.setExitCode(EXIT_INTERRUPTED)
  } finally {
    question.close()
  }
  return false
}

/** Undefined where it was interrupted. */
async function run(
  io: CliIo,
  table: Resinkable,
  range: EventRange,
): Promise<ResinkReport | undefined> {
  const { resink } = await import('../tools/resink.ts')
  const { connectLog } = await import('../log/connect.ts')
  const { topicNames } = await import('../log/topics.ts')
  const { loadRegistry } = await import('../registry/files.ts')
  const { loadCodecs } = await import('../schemas/codecs.ts')
  const { questdbSink } = await import('../sinks/questdb.ts')
  const { ensureTables } = await import('../sinks/tables.ts')
  const config = cliConfig(io)
  const { questdbUrl, tablePrefix: prefix } = config
  const registry = await loadRegistry(config)
  const codecs = await loadCodecs({
    registryUrl: config.schemaRegistryUrl,
    topicPrefix: config.topicPrefix,
  })
  await ensureTables({ questdbUrl, prefix })
  const log = await connectLog(config, { clientId: 'meterloom-resink' })
  const sink = questdbSink({ questdbUrl, prefix })
  const bar = await publishProgress(io, `resink ${table}`)
  // A sink waits for its server as long as it takes; closed, it lets go.
  const letGo = () => void sink.close()
  io.interrupted.addEventListener('abort', letGo)
  try {
    return await resink({
      table,
      range,
      log,
      codecs,
      topics: topicNames(config.topicPrefix),
      registry,
      epoch: config.logEpoch,
      sink,
      stop: io.interrupted,
      progress: (records, total, rows) =>
        bar.update(records, total, `${rows.toLocaleString('en')} rows`),
    })
  } catch (error) {
    if (!io.interrupted.aborted) throw error
    io.setExitCode(EXIT_INTERRUPTED)
    return undefined
  } finally {
    bar.stop()
    await sink.close()
    await log.close()
  }
}

function linesOf({ table, topic, records, rows, cut, settled }: ResinkReport): string[] {
  const lines = [
    `${rows.toLocaleString('en')} rows of ${table} written from ${records.toLocaleString('en')} ` +
      `records of ${topic}`,
  ]
  for (const { partition, beginsAt } of cut) {
    lines.push(
      `partition ${partition} of ${topic} begins with what was appended at ${beginsAt}: rows of ` +
        'earlier records are as they were',
    )
  }
  if (!settled) {
    lines.push(
      'rows of the range were still written while it ran, and the last of them may stand as they ' +
        'were a moment before: run it again, or give --to',
    )
  }
  return lines
}
