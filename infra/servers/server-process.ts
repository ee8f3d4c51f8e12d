import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../src/kernel/errors.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { serverErrors } from './errors.ts'
import { lastLines, rotateLog } from './log-file.ts'
import { endLeftover, removePidFile, signalGroup, waitGone, writePidFile } from './pid-file.ts'
import { assertPortsFree } from './ports.ts'
import type { Server, ServerSpec } from './server.ts'
import { dyingWithParent, howEnded, spawnToLog, spawned } from './spawn.ts'

/** Where a server keeps what, below the data folder. */
export function serverFiles(dataDir: string, name: string) {
  return {
    logFile: join(dataDir, 'logs', `${name}.log`),
    pidFile: join(dataDir, 'run', `${name}.pid`),
  }
}

/** Runs the server that a spec describes as a child of this process. */
export function serverProcess(spec: ServerSpec, dataDir: string): Server {
  const { name } = spec
  const { logFile, pidFile } = serverFiles(dataDir, name)
  const listeners: ((how: string) => void)[] = []
  let child: ChildProcess | undefined
  let ready = false
  let stopping = false
  let ended = ''

  async function launch(): Promise<void> {
    const command = dyingWithParent(spec.command(), spec.stopSignal)
    const started = spawnToLog(command, logFile, { env: process.env })
    ended = ''
    started.once('exit', (code, signal) => {
      ended = howEnded(code, signal)
      child = undefined
      // A child that is gone may have left processes of its group behind.
      if (started.pid !== undefined) signalGroup(started.pid, 'SIGKILL')
      removePidFile(pidFile)
      const died = ready && !stopping
      ready = false
      if (died) for (const listener of listeners) listener(ended)
    })
    try {
      await spawned(started)
    } catch (error) {
      throw serverErrors.notFound({ server: name, program: command.program }, error)
    }
    child = started
    writePidFile(pidFile, started.pid!)
  }

  async function awaitReady(): Promise<void> {
    const deadlineMs = performance.now() + LIMITS.serverStartMs
    while (true) {
      if (ended !== '') {
        const lines = lastLines(logFile, LIMITS.reportedLogLines)
        throw serverErrors.exited({ server: name, how: ended, logFile, lines })
      }
      try {
        await spec.probe()
        return
      } catch (error) {
        if (performance.now() > deadlineMs) {
          const reason = messageOf(error)
          throw serverErrors.notReady(
            { server: name, waitedMs: LIMITS.serverStartMs, logFile, reason },
            error,
          )
        }
      }
      await sleep(LIMITS.probeEveryMs)
    }
  }

  const server: Server = {
    name,
    port: spec.claims[0]!.port,
    logFile,
    get pid() {
      return child?.pid
    },
    async start() {
      stopping = false
      await endLeftover(pidFile, spec.stopSignal, LIMITS.serverStopMs)
      await assertPortsFree(name, spec.claims)
      await spec.prepare()
      rotateLog(logFile)
      await launch()
      try {
        await awaitReady()
        ready = true
      } catch (error) {
        await server.stop()
        throw error
      }
    },
    async stop() {
      stopping = true
      const pid = child?.pid
      if (pid === undefined) return
      process.kill(pid, spec.stopSignal)
      if (await waitGone(pid, LIMITS.serverStopMs)) return
      signalGroup(pid, 'SIGKILL')
      await waitGone(pid, LIMITS.serverStopMs)
    },
    onDeath(listener) {
      listeners.push(listener)
    },
  }
  return server
}
