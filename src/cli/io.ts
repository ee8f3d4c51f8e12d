import type { Command } from 'commander'
import { type Addresses, withAddresses } from '../kernel/addresses.ts'
import { type Config, readConfig } from '../kernel/config.ts'

/**
 * The command line's port. A command is one file `src/cli/<command>.ts` that exports a `Register`,
 * and a line in the array of `src/cli.ts`. Its heavy imports belong into its action, by `await
 * import()`, so that `meterloom --help` does not load Kafka's client.
 *
 * Answers go to stdout, progress and complaints to stderr. An action that throws ends the command
 * with the error's message and exit code 1 (2 where a setting or an argument is wrong).
 */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  /** Whether stderr is a terminal: bars and colours only there, a plain line a step otherwise. */
  readonly terminal: boolean
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP: the action finishes in order and returns. */
  readonly interrupted: AbortSignal
  /** Aborts on the second: the action lets go of everything at once. */
  readonly hurried: AbortSignal
  /**
   * The exit code for when the action has returned: 0 done, 1 not so (verify disagrees, nothing
   * runs), 2 wrong usage or setting, 130 interrupted.
   */
  setExitCode(code: number): void
}

export type Register = (program: Command, io: CliIo) => void

/**
 * The settings for a command, addresses included: those of the embedded servers where none is
 * given.
 */
export function cliConfig(io: CliIo): Config & Addresses {
  return withAddresses(readConfig(io.env))
}

/** One line on stdout. */
export function print(io: CliIo, line: string): void {
  io.stdout.write(`${line}\n`)
}

/** One line on stderr, for people. */
export function note(io: CliIo, line: string): void {
  io.stderr.write(`${line}\n`)
}
