import type { Command } from 'commander'
import { formatMicros, type Micros, systemClock } from '../kernel/time.ts'
import type { ReplayLettersSummary } from '../tools/dead-letter-replay.ts'
import type { LetterFilter, LetterList, LetterSource, StoredLetter } from '../tools/dead-letters.ts'
import { cliErrors } from './errors.ts'
import { type CliIo, type Register, cliConfig, note, print } from './io.ts'
import { listenerUrl, tellTrouble, whole } from './publish-options.ts'
import { publishProgress } from './publish-progress.ts'
import { EXIT_FAILED } from './run.ts'

const EXIT_INTERRUPTED = 130

const HELP_LIST = `
A letter is marked [replayed] where 'dead-letters replay' has sent it again, and [cut] where only
the first 64 KiB of its message are kept. The reasons are listed in docs/readings.md.

Examples:
  meterloom dead-letters list                                   the newest 20
  meterloom dead-letters list --reason inFuture --since 2h
  meterloom dead-letters list --meter demo/m-1 --limit 1 --json`

const HELP_REPLAY = `
Publishes the stored bytes again at QoS 1, on their old topics, in the order of each meter: after a
device's zone was named in METERS_FILE, say, or an entry was added to TOPIC_MAP_FILE. A letter that
was sent again is marked and not sent twice. What is refused again becomes a new dead letter.
A message whose time is the time of receipt gets that of the replay. Letters of payload.foreignMeter
are sent only where --reason names them.

Examples:
  meterloom dead-letters replay --reason noZone --dry-run
  meterloom dead-letters replay --meter demo/plug --since 2026-11-20T00:00:00Z

Exit code: 0 all that fit were sent, now or before; 1 some are cut and cannot be sent, or sending
failed; 2 wrong usage; 130 interrupted.`

interface FilterFlags {
  readonly reason?: string
  readonly since?: string
  readonly meter?: string
}

interface ListFlags extends FilterFlags {
  readonly limit: number
  readonly json?: boolean
}

interface ReplayFlags extends FilterFlags {
  readonly limit?: number
  readonly url?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

export const register: Register = (program, io) => {
  const group = program
    .command('dead-letters')
    .description('What could not become a reading, and why; and sending it again')
  filters(group.command('list').description('Show the newest, and count all by reason'))
    .option('--limit <n>', 'how many are shown', whole('--limit', 0, 1_000_000), 20)
    .option('--json', 'for programs, the stored bytes in base64')
    .addHelpText('after', HELP_LIST)
    .action((flags: ListFlags) => list(io, flags))
  filters(group.command('replay').description('Publish the stored bytes again'))
    .option('--limit <n>', 'at most so many', whole('--limit', 1, 1_000_000_000))
    .option('--url <url>', 'MQTT listener, mqtt://[user:password@]host:port (default: the bridge)')
    .option('--dry-run', 'only show what would be sent')
    .option('--json', 'the summary for programs')
    .addHelpText('after', HELP_REPLAY)
    .action((flags: ReplayFlags) => replay(io, flags))
}

function filters(command: Command): Command {
  return command
    .option('--reason <code>', 'only of this reason, such as inFuture')
    .option('--since <time>', 'only received since: 2026-11-20T00:00:00Z, or 30m, 2h, 7d ago')
    .option('--meter <meter>', "only of this meter: its id, or 'tenant/meterId'")
}

async function list(io: CliIo, flags: ListFlags): Promise<void> {
  const filter = await filterOf(flags)
  const { listLetters } = await import('../tools/dead-letters.ts')
  const found = await withSource(io, 'reading', (source) =>
    listLetters(source, filter, flags.limit),
  )
  if (flags.json) print(io, JSON.stringify(asJson(found)))
  else for (const line of told(found)) print(io, line)
  if (io.interrupted.aborted) io.setExitCode(EXIT_INTERRUPTED)
}

async function replay(io: CliIo, flags: ReplayFlags): Promise<void> {
  const filter = await filterOf(flags)
  const { replayLetters } = await import('../tools/dead-letter-replay.ts')
  const url = flags.url ?? listenerUrl(cliConfig(io))
  const isDryRun = flags.dryRun ?? false
  const summary = await withSource(io, 'replay', (source) =>
    replayLetters({
      source,
      filter,
      limit: flags.limit ?? Infinity,
      isDryRun,
      url,
      clock: systemClock,
      onTrouble: tellTrouble(io, url.replace(/\/\/.*@/, '//')),
      onLetter: (stored) => {
        if (isDryRun && !flags.json) print(io, lineOf(stored))
      },
    }),
  )
  if (flags.json) print(io, JSON.stringify({ ...summary, dryRun: isDryRun }))
  else print(io, sentence(summary, isDryRun))
  if (summary.interrupted) io.setExitCode(EXIT_INTERRUPTED)
  else if (summary.cut > 0) io.setExitCode(EXIT_FAILED)
}

async function withSource<T>(
  io: CliIo,
  label: string,
  use: (source: LetterSource) => Promise<T>,
): Promise<T> {
  const [{ connectLog }, { loadCodecs }] = await Promise.all([
    import('../log/connect.ts'),
    import('../schemas/codecs.ts'),
  ])
  const config = cliConfig(io)
  const log = await connectLog(config, { clientId: 'meterloom-dead-letters' })
  const progress = await publishProgress(io, label)
  try {
    const codecs = await loadCodecs({
      registryUrl: config.schemaRegistryUrl,
      topicPrefix: config.topicPrefix,
    })
    return await use({
      log,
      codecs,
      prefix: config.topicPrefix,
      signal: io.interrupted,
      onUnreadable: (place, why) => note(io, `${place} is no dead letter: ${why}`),
      onProgress: (done, total) => progress.update(done, total, `${done} letters`),
    })
  } finally {
    progress.stop()
    await log.close()
  }
}

async function filterOf({ reason, since, meter }: FilterFlags): Promise<LetterFilter> {
  return { reason, meter, since: since === undefined ? undefined : await sinceOf(since) }
}

const AGO_MICROS: Readonly<Record<string, Micros>> = { s: 1e6, m: 60e6, h: 3_600e6, d: 86_400e6 }

async function sinceOf(value: string): Promise<Micros> {
  const ago = /^(\d+)([smhd])$/.exec(value)
  if (ago !== null) return systemClock.nowMicros() - Number(ago[1]) * AGO_MICROS[ago[2]!]!
  const { parseTime } = await import('../bridge/formats/time-text.ts')
  try {
    return parseTime(value)
  } catch {
    const wants = 'a time with its zone such as 2026-11-20T00:00:00Z, or 30m, 2h, 7d'
    throw cliErrors.badArgument({ option: '--since', value, wants })
  }
}

function lineOf({ letter, isReplayed, isWhole }: StoredLetter): string {
  const { receivedAt, reason, mqttTopic, element, clientId, length, detail } = letter
  const place = element === null ? mqttTopic : `${mqttTopic}[${element}]`
  const state = `${isReplayed ? ' [replayed]' : ''}${isWhole ? '' : ' [cut]'}`
  // What a client calls itself, and its topic, may hold anything: a terminal must not obey it.
  const said = printable(`${place} from ${clientId}, ${length} bytes`)
  return `${formatMicros(receivedAt)} ${reason}${state} ${said}: ${printable(detail)}`
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
}

function told({ letters, total, byReason }: LetterList): string[] {
  if (total === 0) return ['no dead letter fits']
  const lines = letters.map(lineOf)
  lines.push(`${letters.length} of ${total} shown`)
  for (const [reason, count] of Object.entries(byReason)) lines.push(`  ${reason} ${count}`)
  return lines
}

function asJson({ letters, total, byReason }: LetterList): object {
  const deadLetters = letters.map(({ partition, offset, isReplayed, isWhole, letter }) => ({
    partition,
    offset,
    replayed: isReplayed,
    whole: isWhole,
    ...letter,
    receivedAt: formatMicros(letter.receivedAt),
    bytes: letter.bytes.toString('base64'),
  }))
  return { deadLetters, total, byReason }
}

function sentence(summary: ReplayLettersSummary, isDryRun: boolean): string {
  const parts = [`${summary.replayed} ${isDryRun ? 'would be sent' : 'sent and acknowledged'}`]
  if (summary.before > 0) parts.push(`${summary.before} were sent before`)
  if (summary.cut > 0) parts.push(`${summary.cut} are cut and cannot be sent`)
  if (summary.leftOut > 0) {
    parts.push(`${summary.leftOut} of foreign meters left out (--reason foreignMeter sends them)`)
  }
  if (summary.interrupted) parts.push('interrupted')
  return parts.join(', ')
}
