import { type Register, cliConfig } from './io.ts'

export const register: Register = (program, io) => {
  program
    .command('start')
    .description('Start the servers that have no address, every role, and a simulated fleet')
    .option('--no-sample', 'leave the simulated fleet out')
    .action(async (options: { sample: boolean }) => {
      const { supervise } = await import('../../infra/supervisor/supervise.ts')
      const config = cliConfig(io)
      io.setExitCode(await supervise({ config, env: io.env, io, sample: options.sample }))
    })
}
