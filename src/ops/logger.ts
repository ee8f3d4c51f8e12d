import { type Logger, pino, stdTimeFunctions } from 'pino'
import type { RoleName } from './role.ts'

/**
 * One JSON object a line on stdout. A process that is well says when it is ready and when it stops,
 * and nothing between.
 */
export function makeLogger(role: RoleName, level: string): Logger {
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Written at once: a process that is about to exit must not take its last words with it.
    pino.destination({ fd: 1, sync: true }),
  )
}
