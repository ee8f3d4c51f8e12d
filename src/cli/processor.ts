import { type Register, cliConfig, note, print } from './io.ts'
import { whole } from './publish-options.ts'

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
    .action(async (options: { instances: number; port?: number }) => {
      const { runProcessors } = await import('../../infra/supervisor/processors.ts')
      const config = cliConfig(io)
      await runProcessors({
        config: { ...config, processorOpsPort: options.port ?? config.processorOpsPort },
        env: io.env,
        count: options.instances,
        interrupted: io.interrupted,
        hurried: io.hurried,
        report: (line) => note(io, line),
        ready: (line) => print(io, line),
      })
    })
}
