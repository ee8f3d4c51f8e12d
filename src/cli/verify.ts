import { cliErrors } from './errors.ts'
import { type Register, cliConfig, print } from './io.ts'
import { publishProgress } from './publish-progress.ts'
import { EXIT_FAILED } from './run.ts'

const EXIT_INTERRUPTED = 130

const HELP = `
What is compared, up to the end of the log when the command starts:
  the log with QuestDB   each (tenant, meter, channel, time) that the log retains is a row of
                         'readings', once; each row in the log's time range is in the log
  the ledger with both   each reading that --ledger says was acknowledged is in the log, or
                         among the dead letters
It waits until the processors have committed and QuestDB shows what it took.

Examples:
  meterloom verify
  meterloom simulate --meters 500 --ledger acked.jsonl && meterloom verify --ledger acked.jsonl
  meterloom verify --json | jq .missing

Exit code: 0 they agree, 1 they do not, 2 wrong usage, 130 interrupted.`

interface Flags {
  readonly ledger?: string
  readonly patience: number
  readonly json?: boolean
}

function seconds(value: string): number {
  const number = Number(value)
  if (value.trim() !== '' && number >= 0 && number <= 86_400) return number
  throw cliErrors.badArgument({ option: '--patience', value, wants: 'seconds from 0 to 86400' })
}

export const register: Register = (program, io) => {
  program
    .command('verify')
    .description('Compare what was acknowledged, what the log holds and what QuestDB holds')
    .option('--ledger <file>', 'readings that were acknowledged, as simulate and replay note them')
    .option('--patience <seconds>', 'how long to wait while nothing moves', seconds, 60)
    .option('--json', 'the whole report for programs')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const { verify } = await import('../tools/verify.ts')
      const { reportLines } = await import('../tools/verify/report.ts')
      const { connectLog } = await import('../log/connect.ts')
      const { topicNames } = await import('../log/topics.ts')
      const { loadCodecs } = await import('../schemas/codecs.ts')
      const config = cliConfig(io)
      const codecs = await loadCodecs({
        registryUrl: config.schemaRegistryUrl,
        topicPrefix: config.topicPrefix,
      })
      const log = await connectLog(config, { clientId: 'meterloom-verify' })
      const bar = await publishProgress(io, 'verify')
      try {
        const report = await verify({
          log,
          codecs,
          topics: topicNames(config.topicPrefix),
          group: `${config.topicPrefix}${config.processorGroup}`,
          questdbUrl: config.questdbUrl,
          prefix: config.tablePrefix,
          ledger: flags.ledger,
          patienceMs: flags.patience * 1000,
          stop: io.interrupted,
          progress: (step, done, total) =>
            bar.update(done, total, `${step} ${done.toLocaleString('en')}`),
        })
        bar.stop()
        if (flags.json) print(io, JSON.stringify(report))
        else for (const line of reportLines(report)) print(io, line)
        if (!report.agrees) io.setExitCode(EXIT_FAILED)
      } catch (error) {
        if (!io.interrupted.aborted) throw error
        io.setExitCode(EXIT_INTERRUPTED)
      } finally {
        bar.stop()
        await log.close()
      }
    })
}
