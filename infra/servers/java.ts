import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { serverErrors } from './errors.ts'
import type { Command, ServerName } from './server.ts'

/** Set-up puts a Java that is new enough first on the PATH. */
export const JAVA = 'java'

/** @throws servers.noJars where the folder lacks Kafka's or QuestDB's jar. */
export function jarClassPath(jarsDir: string): string {
  const jars = existsSync(jarsDir) ? readdirSync(jarsDir) : []
  const has = (name: string) => jars.some((jar) => jar.startsWith(name))
  if (!has('kafka_') || !has('questdb-')) throw serverErrors.noJars({ jarsDir })
  return join(jarsDir, '*')
}

/** Runs a program to its end. @throws servers.prepareFailed with its last lines. */
export function runOnce(
  server: ServerName,
  command: Command,
  ids?: { uid: number; gid: number },
): Promise<string> {
  const env = { ...process.env, ...command.env }
  return new Promise((resolve, reject) => {
    execFile(command.program, command.args, { ...ids, env }, (error, stdout, stderr) => {
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
