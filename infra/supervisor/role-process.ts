import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS } from '../../src/kernel/limits.ts'
import { type Child, startChild } from '../servers/child.ts'
import { serverErrors } from '../servers/errors.ts'
import { lastLines, rotateLog } from '../servers/log-file.ts'
import { endLeftover } from '../servers/pid-file.ts'
import type { PortClaim, Service } from '../servers/server.ts'
import { childFiles } from '../servers/server-process.ts'

const SOURCES = join(import.meta.dirname, '../../src')

export interface NodeChildOptions {
  readonly name: string
  readonly dataDir: string
  /** The script below `src/`, and its arguments. */
  readonly script: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly claims: readonly PortClaim[]
  /** Where it says that it is ready; undefined: it counts as ready when it runs. */
  readonly readyUrl: string | undefined
}

/** A role's process, or another of our own scripts, as a service. */
export interface NodeService extends Service {
  /** Whether it says that it is ready, asked now. */
  isReady(): Promise<boolean>
  /** Called when it ends with exit code 0 and nobody stopped it. */
  onDone(listener: () => void): void
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LIMITS.probeTimeoutMs) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

export function nodeService(options: NodeChildOptions): NodeService {
  const { name, dataDir, readyUrl } = options
  const files = childFiles(dataDir, name)
  const { logFile } = files
  const deathListeners: ((how: string) => void)[] = []
  const doneListeners: (() => void)[] = []
  let child: Child | undefined
  let startedBefore = false
  let ready = false
  let stopping = false

  function onEnd(how: string): void {
    const ended = ready && !stopping
    ready = false
    if (!ended) return
    const listeners =
      how === 'exit code 0' && readyUrl === undefined ? doneListeners : deathListeners
    for (const listener of listeners) listener(how)
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    stopping = true
    // A role has its own limit, and says why it was late: it gets a moment to do so.
    await child?.end(signal, LIMITS.roleStopMs + 500)
  }

  const service: NodeService = {
    name,
    claims: options.claims,
    port: options.claims[0]?.port ?? 0,
    logFile,
    get pid() {
      return child?.ended === undefined ? child?.pid : undefined
    },
    endLeftover: () => endLeftover(files.pidFile, 'SIGTERM', LIMITS.roleStopMs),
    isReady: () => (readyUrl === undefined ? Promise.resolve(ready) : answersOk(readyUrl)),
    async start() {
      stopping = false
      await service.endLeftover()
      if (!startedBefore) rotateLog(logFile)
      startedBefore = true
      // stop() may have come meanwhile, and found nothing to stop.
      if (stopping as boolean) throw serverErrors.stopped({ server: name })
      const args = [join(SOURCES, options.script), ...options.args]
      const command = { program: process.execPath, args }
      const { env } = options
      const started = await startChild({
        command,
        ...files,
        signalOnOurDeath: 'SIGTERM',
        env,
        ipc: true,
        onEnd,
      })
      child = started
      // How long it waits for its servers is the role's own affair: it says why at /ready.
      while (readyUrl !== undefined && !(await answersOk(readyUrl))) {
        if (started.ended !== undefined) {
          const lines = lastLines(logFile, LIMITS.reportedLogLines)
          throw serverErrors.exited({ server: name, how: started.ended, logFile, lines })
        }
        await sleep(LIMITS.probeEveryMs)
      }
      ready = true
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    onDeath: (listener) => void deathListeners.push(listener),
    onDone: (listener) => void doneListeners.push(listener),
  }
  return service
}
