import { type Register, cliConfig, note, print } from './io.ts'
import { EXIT_FAILED } from './run.ts'

export const register: Register = (program, io) => {
  program
    .command('status')
    .description('Every process of the running meterloom: its port, its state, its restarts')
    .option('--json', 'for programs: {"processes":[{"role","pid","port","state","restarts"}]}')
    .action(async (options: { json?: boolean }) => {
      const { askStatus, statusTable } = await import('../../infra/supervisor/status.ts')
      const { dataDir } = cliConfig(io)
      const status = await askStatus(dataDir)
      if (status === undefined) {
        if (options.json) print(io, JSON.stringify({ processes: [] }))
        note(io, `meterloom is not running on ${dataDir} (npm start starts it)`)
        io.setExitCode(EXIT_FAILED)
        return
      }
      if (options.json) print(io, JSON.stringify(status))
      else for (const line of statusTable(status)) print(io, line)
    })
}
