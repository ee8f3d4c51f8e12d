import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../src/kernel/errors.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { type Child, startChild } from './child.ts'
import { serverErrors } from './errors.ts'
import { lastLines, rotateLog } from './log-file.ts'
import { endLeftover } from './pid-file.ts'
import { assertPortsFree } from './ports.ts'
import type { Server, ServerSpec } from './server.ts'

/** Where a child keeps what, below the data folder. */
export function childFiles(dataDir: string, name: string) {
  return {
    logFile: join(dataDir, 'logs', `${name}.log`),
    pidFile: join(dataDir, 'run', `${name}.pid`),
  }
}

/** Runs the server that a spec describes as a child of this process. */
export function serverProcess(spec: ServerSpec, dataDir: string): Server {
  const { name, stopSignal } = spec
  const files = childFiles(dataDir, name)
  const { logFile } = files
  const listeners: ((how: string) => void)[] = []
  let child: Child | undefined
  let startedBefore = false
  let ready = false
  let stopping = false

  function onEnd(how: string): void {
    const died = ready && !stopping
    ready = false
    if (died) for (const listener of listeners) listener(how)
  }

  async function launch(): Promise<Child> {
    const command = spec.command()
    try {
      const options = { command, ...files, signalOnOurDeath: stopSignal, env: process.env, onEnd }
      return await startChild(options)
    } catch (error) {
      throw serverErrors.notFound({ server: name, program: command.program }, error)
    }
  }

  async function awaitReady(started: Child): Promise<void> {
    const deadlineMs = performance.now() + LIMITS.serverStartMs
    while (true) {
      if (started.ended !== undefined) {
        const lines = lastLines(logFile, LIMITS.reportedLogLines)
        throw serverErrors.exited({ server: name, how: started.ended, logFile, lines })
      }
      try {
        await spec.probe()
        return
      } catch (error) {
        if (performance.now() > deadlineMs) {
          const waitedMs = LIMITS.serverStartMs
          const reason = messageOf(error)
          throw serverErrors.notReady({ server: name, waitedMs, logFile, reason }, error)
        }
      }
      await sleep(LIMITS.probeEveryMs)
    }
  }

  const server: Server = {
    name,
    claims: spec.claims,
    port: spec.claims[0]!.port,
    logFile,
    get pid() {
      return child?.ended === undefined ? child?.pid : undefined
    },
    endLeftover: () => endLeftover(files.pidFile, stopSignal, LIMITS.serverStopMs),
    async start() {
      stopping = false
      await server.endLeftover()
      await assertPortsFree(name, spec.claims)
      await spec.prepare()
      // What a server said before it died is still wanted after its restart.
      if (!startedBefore) rotateLog(logFile)
      startedBefore = true
      // stop() may have come meanwhile, and found nothing to stop.
      if (stopping as boolean) throw serverErrors.stopped({ server: name })
      const started = await launch()
      child = started
      try {
        await awaitReady(started)
        ready = true
      } catch (error) {
        await server.stop()
        throw error
      }
    },
    async stop() {
      stopping = true
      await child?.end(stopSignal, LIMITS.serverStopMs)
    },
    async kill() {
      stopping = true
      await child?.end('SIGKILL', LIMITS.serverStopMs)
    },
    onDeath(listener) {
      listeners.push(listener)
    },
  }
  return server
}
