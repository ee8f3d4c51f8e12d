import type { Config } from '../kernel/config.ts'
import { type Register, cliConfig, note, print } from './io.ts'
import { whole } from './publish-options.ts'

interface Options {
  readonly instances: number
  readonly port?: number
  readonly backfill?: boolean
  readonly dropState?: readonly string[]
}

const AFTER_CHANGE = `
A processor keeps its state in snapshots. Where a node of the topology with
state is another one now, or is no more, it does not start, and names what has
changed. Then choose, for one run:

  --drop-state spikes/spike  these nodes begin without their past; all others
                             keep theirs
  --backfill                 all state is computed again from the log, as far
                             as it is retained

Both hold for each partition that comes to these processors, until they are
ended: start them without, once all have their partitions. Snapshots need no
setting. meterloom start takes both from the environment.`

/** What the options say, as the processes are told it: by their environment. */
function stateSettings(
  config: Config,
  { backfill, dropState = [] }: Options,
): Record<string, string> {
  return {
    BACKFILL: String(backfill === true || config.backfill),
    DROP_STATE: [...config.dropState, ...dropState].join(','),
  }
}

export const register: Register = (program, io) => {
  program
    .command('processor')
    .description('Run processors on this machine, beside those of `meterloom start` or without it')
    .option(
      '--instances <n>',
      'how many; they share the partitions',
      whole('--instances', 1, 64),
      1,
    )
    .option(
      '--port <n>',
      "the first one's ops port (PROCESSOR_OPS_PORT); each further one's is 100 above",
      whole('--port', 1, 65_535),
    )
    .option(
      '--backfill',
      'compute all state again from the retained log, whatever snapshots there are (BACKFILL=true)',
    )
    .option(
      '--drop-state <node>',
      'a node of the topology that begins without its past, where it is not what it was ' +
        '(DROP_STATE=a,b); may be given several times',
      (node: string, before?: readonly string[]) => [...(before ?? []), node],
    )
    .addHelpText('after', AFTER_CHANGE)
    .action(async (options: Options) => {
      const { runProcessors } = await import('../../infra/supervisor/processors.ts')
      const config = cliConfig(io)
      await runProcessors({
        config: { ...config, processorOpsPort: options.port ?? config.processorOpsPort },
        env: { ...io.env, ...stateSettings(config, options) },
        count: options.instances,
        interrupted: io.interrupted,
        hurried: io.hurried,
        report: (line) => note(io, line),
        ready: (line) => print(io, line),
      })
    })
}
