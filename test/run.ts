/**
 * `npm test`: starts the servers once, runs the test files against them, stops the servers, and
 * sees that nothing is left behind. Files and folders may be named, and tests by `--name PATTERN`.
 */
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { pathToFileURL } from 'node:url'
import { freePorts, startServers } from '../infra/servers/index.ts'
import { ClosingLinesLast } from './runner/closing-lines.ts'
import { RUN_MARK, endLeaked, leakedProcesses } from './runner/leaks.ts'
import { parseOptions, type RunOptions } from './runner/options.ts'
import { ensureTemplate } from './runner/template.ts'

const ROOT = dirname(import.meta.dirname)
const EACH_FILE = join(ROOT, 'test/runner/each-file.ts')
/** A test that takes longer hangs. */
const TEST_MS_MAX = 300_000
/** Two files at a time, as many as the machines have cores that the times are promised for. */
const FILES_AT_ONCE = 2
/** Files that take longest, begun first: so that none of them is left alone at the end. */
const LONGEST = [
  'system/replay',
  'simulation/',
  'topologies/law',
  'system/start',
  'web/',
  'system/fleet',
  'faults/',
]
const SLOWEST_SHOWN = 5

const SERVERS = [
  { name: 'kafka', env: 'KAFKA_BROKERS' },
  { name: 'questdb', env: 'QUESTDB_URL' },
  { name: 'postgres', env: 'DATABASE_URL' },
] as const

interface RunningServers {
  stop(): Promise<void>
}

/** Starts what has no address in the environment, and puts the addresses there for the tests. */
async function startMissingServers(dataDir: string): Promise<RunningServers> {
  const only = SERVERS.filter(({ env }) => (process.env[env] ?? '') === '').map(({ name }) => name)
  if (only.length === 0) return { stop: () => Promise.resolve() }
  const startedMs = performance.now()
  const [kafka, kafkaController, questdbHttp, questdbPg, postgres] = await freePorts(5)
  const ports = {
    kafka: kafka!,
    kafkaController: kafkaController!,
    questdbHttp: questdbHttp!,
    questdbPg: questdbPg!,
    postgres: postgres!,
  }
  const running = await startServers({ dataDir, ports, only })
  Object.assign(process.env, running.env)
  console.log(`servers: ${only.join(', ')} up in ${secondsSince(startedMs)} s`)
  return running
}

interface Outcome {
  readonly passed: boolean
  /** The reporter's counts and failures, to be shown last. */
  readonly closingLines: string
}

async function runFiles(options: RunOptions, signal: AbortSignal): Promise<Outcome> {
  const durationsMs = new Map<string, number>()
  let passed = true
  const events = run({
    files: longestFirst(options.files),
    concurrency: FILES_AT_ONCE,
    timeout: TEST_MS_MAX,
    execArgv: ['--import', pathToFileURL(EACH_FILE).href],
    signal,
    ...(options.names.length > 0 ? { testNamePatterns: [...options.names] } : {}),
  })
  events.on('test:fail', (event) => {
    // A test that is expected to fail, or still to be written, is none that failed.
    if (event.todo === undefined) passed = false
  })
  events.on('test:summary', ({ file, duration_ms: durationMs, success }) => {
    if (!success) passed = false
    if (file !== undefined) durationsMs.set(file, durationMs)
  })
  const text = new ClosingLinesLast()
  for await (const chunk of events.pipe(new spec()).pipe(text)) {
    process.stdout.write(chunk as Buffer)
  }
  showSlowest(durationsMs)
  return { passed, closingLines: text.release() }
}

function longestFirst(files: readonly string[]): string[] {
  const rank = (file: string) => {
    const place = LONGEST.findIndex((name) => file.startsWith(join(ROOT, 'test', name)))
    return place < 0 ? LONGEST.length : place
  }
  return files.toSorted((a, b) => rank(a) - rank(b))
}

function showSlowest(durationsMs: ReadonlyMap<string, number>): void {
  const slowest = [...durationsMs].sort(([, a], [, b]) => b - a).slice(0, SLOWEST_SHOWN)
  for (const [file, ms] of slowest) {
    console.log(`slowest: ${relative(ROOT, file)} ${(ms / 1_000).toFixed(1)} s`)
  }
}

function secondsSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 1_000).toFixed(1)
}

/** Whether anything was left; it is named and ended. */
async function reportLeaks(mark: string, dataDir: string): Promise<boolean> {
  const leaked = await leakedProcesses(mark, dataDir)
  for (const { pid, command } of leaked) console.log(`left running: ${pid} ${command}`)
  endLeaked(leaked)
  return leaked.length > 0
}

async function main(): Promise<number> {
  const options = parseOptions(ROOT, process.argv.slice(2))
  const mark = randomUUID()
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      stopping.abort(new Error(`the run was stopped by ${signal}`))
    })
  }
  process.env[RUN_MARK] = mark
  // kafkajs would say at each start that its default partitioner changed once.
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
  const dataDir = mkdtempSync(join(tmpdir(), 'meterloom-test-'))
  // Postgres does not run as root, and its own user must be able to come in here.
  chmodSync(dataDir, 0o755)
  // What tests that are broken off leave in temporary folders goes with the run's own.
  process.env['TMPDIR'] = join(dataDir, 'tmp')
  mkdirSync(process.env['TMPDIR'])
  // A test that starts a role without a data folder of its own must not find the person's.
  process.env['METERLOOM_DATA'] = join(dataDir, 'data')
  let outcome: Outcome = { passed: false, closingLines: '' }
  let leaked = false
  try {
    const servers = await startMissingServers(dataDir)
    try {
      await ensureTemplate(process.env['DATABASE_URL']!)
      if (!stopping.signal.aborted) outcome = await runFiles(options, stopping.signal)
    } finally {
      await servers.stop()
    }
  } finally {
    leaked = await reportLeaks(mark, dataDir)
    rmSync(dataDir, { recursive: true, force: true })
    process.stdout.write(outcome.closingLines)
  }
  if (stopping.signal.aborted) return 130
  return outcome.passed && !leaked ? 0 : 1
}

process.exitCode = await main()
