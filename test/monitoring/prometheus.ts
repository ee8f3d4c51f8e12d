import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../../infra/servers/index.ts'
import type { Scope } from '../support/database.ts'
import { PROMETHEUS_FOLDER, withToken } from './files.ts'

/** Debian's Prometheus, as a child of the test, with the project's configuration. */

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [atSeconds: number, value: string]
}

export interface Rule {
  readonly name: string
  readonly query: string
  readonly health: string
  readonly lastError?: string
}

export interface Target {
  readonly labels: Readonly<Record<string, string>>
  readonly health: string
  readonly lastError: string
}

export interface PrometheusUnderTest {
  /** Evaluates now. @throws With Prometheus's words where it refuses the expression. */
  query(expression: string): Promise<readonly Sample[]>
  targets(): Promise<readonly Target[]>
  rules(): Promise<readonly Rule[]>
  /** The names of all metrics, recorded ones included. */
  metricNames(): Promise<ReadonlySet<string>>
}

export interface PrometheusOptions {
  /** Where each default port of the configuration is in this test. */
  readonly ports: ReadonlyMap<number, number>
  /** Uses the variant for roles that ask for a token. */
  readonly token?: string
}

/** Scrapes and evaluates each second, so that a test need not wait; the rest is as shipped. */
export async function startPrometheus(
  scope: Scope,
  { ports, token }: PrometheusOptions,
): Promise<PrometheusUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
  cpSync(PROMETHEUS_FOLDER, folder, { recursive: true })
  const file = join(folder, 'prometheus.yml')
  const shipped = readFileSync(file, 'utf8')
  const variant = token === undefined ? shipped : withToken(shipped)
  if (token !== undefined) writeFileSync(join(folder, 'scrape-token'), `${token}\n`)
  writeFileSync(
    file,
    variant
      .replace(/(_interval): 15s/g, '$1: 1s')
      .replace(/127\.0\.0\.1:(\d+)/g, (_, port) => `127.0.0.1:${ports.get(Number(port))!}`),
  )
  const [port] = await freePorts(1)
  const address = `127.0.0.1:${port!}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')))
  const gone = once(child, 'close')
  scope.after(async () => {
    child.kill('SIGKILL')
    await gone
    rmSync(folder, { recursive: true })
  })
  const until = performance.now() + 20_000
  for (;;) {
    const ready = await fetch(`http://${address}/-/ready`).catch(() => undefined)
    if (ready?.ok === true) break
    if (child.exitCode !== null || performance.now() > until) {
      throw new Error(`Prometheus does not start: ${errors}`)
    }
    await sleep(50)
  }
  return client(`http://${address}/api/v1`)
}

interface Answer<T> {
  readonly status: string
  readonly error?: string
  readonly data: T
}

function client(url: string): PrometheusUnderTest {
  async function ask<T>(path: string, values: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      body: new URLSearchParams(values),
    })
    const answer = (await response.json()) as Answer<T>
    if (answer.status !== 'success') throw new Error(`Prometheus: ${answer.error ?? ''}`)
    return answer.data
  }
  async function read<T>(path: string): Promise<T> {
    return ((await (await fetch(`${url}${path}`)).json()) as Answer<T>).data
  }
  return {
    async query(expression) {
      const data = await ask<{ resultType: string; result: unknown }>('/query', {
        query: expression,
      })
      if (data.resultType === 'vector') return data.result as Sample[]
      return [{ metric: {}, value: data.result as Sample['value'] }]
    },
    async targets() {
      return (await read<{ activeTargets: Target[] }>('/targets')).activeTargets
    },
    async rules() {
      const { groups } = await read<{ groups: { rules: Rule[] }[] }>('/rules')
      return groups.flatMap(({ rules }) => rules)
    },
    async metricNames() {
      return new Set(await read<string[]>('/label/__name__/values'))
    },
  }
}

const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'by', 'on', 'without', 'ignoring'])

/** The metrics that an expression asks for. */
export function metricsOf(expression: string): readonly string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
  return [...bare.matchAll(/(?<![\w:])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g)]
    .map(([name]) => name)
    .filter((name) => !WORDS.has(name))
}
