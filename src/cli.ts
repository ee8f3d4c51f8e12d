import { register as deadLetters } from './cli/dead-letters.ts'
import type { CliIo, Register } from './cli/io.ts'
import { register as processor } from './cli/processor.ts'
import { register as replay } from './cli/replay.ts'
import { register as resink } from './cli/resink.ts'
import { runCli } from './cli/run.ts'
import { register as simulate } from './cli/simulate.ts'
import { register as start } from './cli/start.ts'
import { register as status } from './cli/status.ts'
import { register as topology } from './cli/topology.ts'
import { register as verify } from './cli/verify.ts'

/** Every command, in the order that the help shows. */
const COMMANDS: readonly Register[] = [
  start,
  status,
  processor,
  replay,
  simulate,
  verify,
  deadLetters,
  resink,
  topology,
]

/**
 * Ctrl-C of a terminal reaches the whole process group, and a parent may pass it on again: that is
 * one.
 */
const SAME_SIGNAL_MS = 500

function terminalIo(): CliIo {
  const first = new AbortController()
  const second = new AbortController()
  let firstAtMs = 0
  const onSignal = () => {
    if (!first.signal.aborted) {
      firstAtMs = performance.now()
      first.abort()
    } else if (performance.now() - firstAtMs > SAME_SIGNAL_MS) {
      second.abort()
      // A command that does not heed it is not waited for.
      setTimeout(() => process.exit(130), 3_000).unref()
    }
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  // A supervisor that is gone without a word cannot stop what it has started.
  process.on('disconnect', onSignal)
  process.channel?.unref()
  return {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    terminal: process.stderr.isTTY,
    interrupted: first.signal,
    hurried: second.signal,
    setExitCode: () => undefined,
  }
}

// A reader that has seen enough (`| head`) closes the pipe: no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const code = await runCli(process.argv.slice(2), COMMANDS, terminalIo())
// Exiting waits for nothing: an idle connection left open must not hold the terminal.
process.stdout.write('', () => process.exit(code))
