import { Command, CommanderError } from 'commander'
import { MeterloomError, messageOf } from '../kernel/errors.ts'
import { type CliIo, type Register, note } from './io.ts'

export const EXIT_FAILED = 1
export const EXIT_USAGE = 2

/**
 * Runs one command of the terminal.
 *
 * @param argv The arguments alone, without node and script.
 * @returns The exit code, as `CliIo.setExitCode` explains it.
 */
export async function runCli(
  argv: readonly string[],
  commands: readonly Register[],
  io: CliIo,
): Promise<number> {
  let exitCode = 0
  const inner: CliIo = { ...io, setExitCode: (code) => (exitCode = code) }
  const program = new Command('meterloom')
    .description('Stream-processing engine and platform for meter fleets')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .exitOverride()
    .showHelpAfterError('(meterloom --help, or the --help of the command, tells more)')
  // Commander copies these to a sub-command where it is made, so they stand before any is
  // registered.
  for (const register of commands) register(program, inner)
  if (argv.length === 0) {
    program.outputHelp()
    return 0
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    return codeOf(error, io)
  }
}

function codeOf(error: unknown, io: CliIo): number {
  // Commander has already written its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
  note(io, `meterloom: ${messageOf(error)}`)
  if (error instanceof MeterloomError) {
    if (error.code === 'config.badSetting' || error.code === 'cli.badArgument') return EXIT_USAGE
  } else if (error instanceof Error && error.stack !== undefined) {
    // What is none of ours nobody has foreseen: the stack helps whoever mends it.
    note(io, error.stack)
  }
  return EXIT_FAILED
}
