import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { freePorts } from '../../infra/servers/index.ts'
import type { Addresses } from '../../src/kernel/addresses.ts'
import { type Config, SETTINGS } from '../../src/kernel/config.ts'
import { makeLogger } from '../../src/ops/logger.ts'
import type { RoleName, RunningRole, StartRole } from '../../src/ops/role.ts'
import { opsPortOf } from '../../src/ops/serve-ops.ts'
import type { Scope } from './database.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const READY_MS_MAX = 60_000
const OUTPUT_CHARS_MAX = 64_000

/** The variables that say the same as these settings. */
export function environmentOf(config: Config): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, { env: variable }] of Object.entries(SETTINGS)) {
    const value = config[name as keyof Config]
    if (value !== undefined) env[variable] = String(value)
  }
  return env
}

/** The same settings with free ports for MQTT, the api and every role. */
export async function onFreePorts<C extends Config>(config: C): Promise<C> {
  const [mqttPort, apiPort, bridgeOpsPort, processorOpsPort, workerOpsPort] = await freePorts(5)
  return Object.assign(
    { ...config },
    { mqttPort, apiPort, bridgeOpsPort, processorOpsPort, workerOpsPort },
  )
}

/** A role as a process of its own, as the product runs it. */
export interface SpawnedRole {
  readonly pid: number
  /** Where /health, /ready and /metrics are, such as `http://127.0.0.1:20204`. */
  readonly opsUrl: string
  /** What it has written so far: its last 64,000 characters. */
  output(): string
  /** Resolves when it is gone, however it ended, with its exit code; -1 where a signal ended it. */
  readonly gone: Promise<number>
  /** Resolves when /ready answers 200; rejects with its output where it ends or takes over 20 s. */
  ready(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>
  /** SIGSTOP and SIGCONT: a process that is paused, not dead. */
  pause(): void
  resume(): void
}

/**
 * Starts `node src/main.ts ROLE` with these settings (make their ports free by `onFreePorts`). It
 * is killed after the test if it is still there.
 */
export function spawnRole(
  scope: Scope,
  role: RoleName,
  config: Config & Addresses,
  env: Readonly<Record<string, string>> = {},
): SpawnedRole {
  const child = spawn(process.execPath, [MAIN, role], {
    env: { ...process.env, ...environmentOf(config), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let text = ''
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString('utf8')).slice(-OUTPUT_CHARS_MAX)
  }
  child.stdout!.on('data', keep)
  child.stderr!.on('data', keep)
  const gone = goneOf(child)
  const opsUrl = `http://127.0.0.1:${opsPortOf(role, config).port}`
  const kill = async () => {
    child.kill('SIGKILL')
    await gone
  }
  scope.after(kill)
  return {
    pid: child.pid!,
    opsUrl,
    output: () => text,
    gone,
    async ready() {
      const deadlineMs = performance.now() + READY_MS_MAX
      while (true) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`the ${role} ended before it was ready; its output:\n${text}`)
        }
        const said = await readinessOf(opsUrl)
        if (said === 'ready') return
        if (performance.now() > deadlineMs) {
          throw new Error(`the ${role} is not ready: ${said}; its output:\n${text}`)
        }
        await sleep(50)
      }
    },
    kill,
    stop() {
      child.kill('SIGTERM')
      return gone
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

function goneOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('close', (code) => resolve(code ?? -1))
  })
}

/** `ready`, or what /ready says instead. */
async function readinessOf(opsUrl: string): Promise<string> {
  try {
    const response = await fetch(`${opsUrl}/ready`, { signal: AbortSignal.timeout(3_000) })
    const body = await response.text()
    return response.ok ? 'ready' : body
  } catch (error) {
    return String(error)
  }
}

export interface RoleInProcess {
  readonly running: RunningRole
  readonly metrics: Registry
  /** What the role called `fail` with, in order. */
  readonly failures: readonly unknown[]
}

/** Starts a role in this process, without its ops port; stopped after the test. */
export async function startRoleInProcess(
  scope: Scope,
  role: RoleName,
  start: StartRole,
  config: Config & Addresses,
): Promise<RoleInProcess> {
  const failures: unknown[] = []
  const metrics = new Registry()
  const logger = makeLogger(role, config.logLevel)
  const fail = (error: unknown) => void failures.push(error)
  const started = await start({ role, config, logger, metrics, fail })
  let stopped: Promise<void> | undefined
  const running: RunningRole = {
    readiness: () => started.readiness(),
    // A test that stops it itself must not have it stopped twice.
    stop: () => (stopped ??= started.stop()),
  }
  scope.after(() => running.stop())
  return { running, metrics, failures }
}
