import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LIMITS } from '../../src/kernel/limits.ts'
import { JAVA, JAVA_ENV, jarClassPath } from './java.ts'
import { ServerProcess } from './server-process.ts'
import type { Server } from './server.ts'

export interface QuestdbOptions {
  readonly dataDir: string
  readonly jarsDir: string
  readonly httpPort: number
  readonly pgPort: number
}

function configuration({ httpPort, pgPort }: QuestdbOptions): string {
  return [
    `http.bind.to=127.0.0.1:${httpPort}`,
    `pg.net.bind.to=127.0.0.1:${pgPort}`,
    'http.min.enabled=false',
    'line.tcp.enabled=false',
    'line.udp.enabled=false',
    'telemetry.enabled=false',
    // Analysts connect as user `user`, password `quest`, and cannot write.
    'pg.readonly.user.enabled=true',
    // Nor may they fill the disk: COPY ... TO writes a file, and asks for no right to write.
    'cairo.sql.copy.export.root=',
    // Tables made by a write have no DEDUP keys: a misspelt name must be an error instead.
    'line.auto.create.new.tables=false',
    'line.auto.create.new.columns=false',
    'shared.worker.count=2',
    // Off-heap buffers: the defaults are for machines of their own.
    'cairo.o3.column.memory.size=256k',
    // A column file grows by this much at once: with 16 MB, the default, an empty table takes 100
    // MB.
    'cairo.writer.data.append.page.size=1m',
    'cairo.system.writer.data.append.page.size=256k',
    'ram.usage.limit.bytes=1g',
    '',
  ].join('\n')
}

const LOG_CONFIGURATION = `writers=stdout
w.stdout.class=io.questdb.log.LogConsoleWriter
w.stdout.level=ERROR,CRITICAL
`

async function probeQuestdb(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/exec?query=select%201`
  const response = await fetch(url, { signal: AbortSignal.timeout(LIMITS.probeTimeoutMs) })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`HTTP status ${response.status}`)
}

/** What QuestDB itself advises; Linux grants 65530 unless told otherwise. */
const MAP_COUNT_ADVISED = 1_048_576

/**
 * What a person should know of this machine's limits, or undefined. QuestDB maps every column file
 * of every open partition; where the kernel's limit on mappings is reached, it suspends tables.
 */
export function mapCountAdvice(file = '/proc/sys/vm/max_map_count'): string | undefined {
  let limit: number
  try {
    limit = Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
  if (!(limit < MAP_COUNT_ADVISED)) return undefined
  return (
    `QuestDB maps every file of every open partition, and this kernel allows a process ${limit} ` +
    'mappings: enough to try it out. ' +
    `For years of data: sudo sysctl -w vm.max_map_count=${MAP_COUNT_ADVISED}`
  )
}

/**
 * Raises that limit until the next boot, where we may. Without it a query over years of days ends
 * the server: its tables have a file a column and a day.
 */
export function raiseMapCount(file = '/proc/sys/vm/max_map_count'): void {
  if (mapCountAdvice(file) === undefined) return
  try {
    writeFileSync(file, String(MAP_COUNT_ADVISED))
  } catch {
    // Not ours to change: the advice stays, and `start` gives it.
  }
}

export function questdbServer(options: QuestdbOptions): Server {
  const { dataDir, jarsDir, httpPort, pgPort } = options
  const home = join(dataDir, 'questdb')
  return new ServerProcess(
    {
      name: 'questdb',
      claims: [
        { port: httpPort, setting: 'QUESTDB_HTTP_PORT' },
        { port: pgPort, setting: 'QUESTDB_PG_PORT' },
      ],
      stopSignal: 'SIGTERM',
      prepare() {
        raiseMapCount()
        mkdirSync(join(home, 'conf'), { recursive: true })
        writeFileSync(join(home, 'conf/server.conf'), configuration(options))
        writeFileSync(join(home, 'conf/log.conf'), LOG_CONFIGURATION)
        return Promise.resolve()
      },
      command: () => ({
        program: JAVA,
        env: JAVA_ENV,
        args: [
          '-Xms64m',
          '-Xmx768m',
          '-XX:+UseParallelGC',
          '-XX:+ExitOnOutOfMemoryError',
          '-cp',
          jarClassPath(jarsDir),
          'io.questdb.ServerMain',
          '-d',
          home,
        ],
      }),
      probe: () => probeQuestdb(httpPort),
    },
    dataDir,
  )
}
