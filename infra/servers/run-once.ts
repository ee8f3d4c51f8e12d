import { execFile } from 'node:child_process'
import { serverErrors } from './errors.ts'
import type { Command, ServerName } from './server.ts'
import { composed } from './spawn.ts'

/** Runs a program to its end. @throws servers.prepareFailed with its last lines. */
export function runOnce(server: ServerName, command: Command): Promise<string> {
  const env = { ...process.env, ...command.env }
  return new Promise((resolve, reject) => {
    const [program, args] = composed(command)
    execFile(program, args, { env }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout)
        return
      }
      const lines = `${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '')
      const said = lines.length === 0 ? [error.message] : lines.slice(-10)
      reject(serverErrors.prepareFailed({ server, step: command.program, lines: said }, error))
    })
  })
}
