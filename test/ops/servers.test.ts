import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePorts, type ServerPorts, startServers } from '../../infra/servers/index.ts'
import { lastLines, rotateLog } from '../../infra/servers/log-file.ts'
import { endLeftover, isAlive, readPidFile, writePidFile } from '../../infra/servers/pid-file.ts'
import { assertPortsFree } from '../../infra/servers/ports.ts'
import { clearStalePostmaster } from '../../infra/servers/postgres.ts'
import { mapCountAdvice, raiseMapCount } from '../../infra/servers/questdb.ts'
import type { Service } from '../../infra/servers/server.ts'
import { Kept, backOffMs } from '../../infra/supervisor/keep.ts'
import { LIMITS } from '../../src/kernel/limits.ts'

const folder = mkdtempSync(join(tmpdir(), 'meterloom-servers-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function somePorts(): Promise<ServerPorts> {
  const [kafka, kafkaController, questdbHttp, questdbPg, postgres] = await freePorts(5)
  return {
    kafka: kafka!,
    kafkaController: kafkaController!,
    questdbHttp: questdbHttp!,
    questdbPg: questdbPg!,
    postgres: postgres!,
  }
}

test('a port that is taken is named with the setting that moves it', async (t) => {
  const ports = await somePorts()
  const taker = createServer().listen(ports.postgres, '127.0.0.1')
  t.after(() => taker.close())
  const dataDir = join(folder, 'taken')
  await assert.rejects(startServers({ dataDir, ports, only: ['postgres'] }), {
    code: 'servers.portTaken',
    message: new RegExp(`port ${ports.postgres} .*postgres.*POSTGRES_PORT`),
  })
})

test('an address that is none of this machine is told from a port that is taken', async () => {
  // 192.0.2.0/24 is reserved for documentation: no machine has it.
  const claim = { port: 20_299, setting: 'API_PORT', host: '192.0.2.1' }
  await assert.rejects(assertPortsFree('api', [claim]), {
    code: 'servers.cannotListen',
    message: /api cannot listen on 192\.0\.2\.1:20299 .*BIND_ADDRESS/,
  })
})

test('where the jars are missing, the folder and the remedy are named', async () => {
  const jarsDir = join(folder, 'no-jars')
  const ports = await somePorts()
  const options = { dataDir: join(folder, 'jarless'), jarsDir, ports, only: ['questdb'] as const }
  await assert.rejects(startServers(options), {
    code: 'servers.noJars',
    message: new RegExp(`${jarsDir} .*METERLOOM_SERVER_JARS`),
  })
})

test('Postgres survives kill -9: it is reported, restarted and has its rows', async (t) => {
  const dataDir = join(folder, 'postgres')
  const { servers, env, stop } = await startServers({
    dataDir,
    ports: await somePorts(),
    only: ['postgres'],
  })
  t.after(stop)
  const [server] = servers
  assert.ok(server)
  const ask = async (text: string) => {
    const client = new pg.Client({ connectionString: env['DATABASE_URL'] })
    client.on('error', () => undefined)
    await client.connect()
    const { rows } = await client.query<{ n: number }>(text)
    await client.end()
    return rows
  }
  await ask('create table kept (n int)')
  await ask('insert into kept values (7)')

  const reports: string[] = []
  const kept = new Kept(server, { attemptsMax: 1, report: (line) => void reports.push(line) })
  const pid = server.pid!
  process.kill(pid, 'SIGKILL')
  const deadlineMs = performance.now() + 10_000
  while (kept.restarts === 0 || kept.state !== 'ready') {
    assert.ok(performance.now() < deadlineMs, reports.join('\n'))
    await sleep(20)
  }
  assert.match(
    reports[0] ?? '',
    /^postgres died \(killed by SIGKILL\), restarting in 0.5 s; its log/,
  )
  assert.match(reports[0] ?? '', /database system is ready to accept connections/)
  assert.equal(reports.at(-1), 'postgres is ready again (restarts: 1)')
  assert.notEqual(server.pid, pid)
  assert.deepEqual(await ask('select n from kept'), [{ n: 7 }])
  await kept.stop()
  assert.equal(server.pid, undefined)
  assert.equal(kept.state, 'stopped')
})

test('QuestDB listens on loopback alone, and lets analysts read but not write', async (t) => {
  const ports = await somePorts()
  const dataDir = join(folder, 'questdb')
  const { env, stop, servers } = await startServers({ dataDir, ports, only: ['questdb'] })
  t.after(stop)
  assert.deepEqual(Object.keys(env), ['QUESTDB_URL'])
  const url = env['QUESTDB_URL']!.replace('admin:quest@', '')
  const create = encodeURIComponent('create table t (ts timestamp, v long) timestamp(ts)')
  assert.equal((await fetch(`${url}/exec?query=${create}`)).status, 200)

  const analyst = new pg.Client({
    connectionString: `postgres://user:quest@127.0.0.1:${ports.questdbPg}/qdb`,
  })
  await analyst.connect()
  assert.deepEqual((await analyst.query('select * from t')).rows, [])
  await assert.rejects(analyst.query('insert into t values (now(), 1)'), /denied|read.?only/i)
  await analyst.end()

  // A misspelt table must not come to be by a write.
  const write = await fetch(`${url}/write`, { method: 'POST', body: 'misspelt v=1i 1000000000\n' })
  assert.notEqual(write.status, 204, 'a write must not make tables')
  const listening = readFileSync('/proc/net/tcp', 'utf8') + readFileSync('/proc/net/tcp6', 'utf8')
  const hexPort = (port: number) => port.toString(16).toUpperCase().padStart(4, '0')
  for (const port of [ports.questdbHttp, ports.questdbPg]) {
    const places = listening.match(new RegExp(`[0-9A-F]+:${hexPort(port)} [0-9A-F]+:0000 0A`, 'g'))
    assert.deepEqual(places, [`0100007F:${hexPort(port)} 00000000:0000 0A`])
  }
  const [server] = servers
  const pid = server!.pid!
  await stop()
  assert.equal(isAlive(pid), false)
})

test('a leftover of an earlier run is ended, a stranger with its pid is not', async (t) => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  const file = join(folder, 'run/leftover.pid')
  writePidFile(file, child.pid!)
  const ticks = readFileSync(file, 'utf8').split(' ')[1]!
  writeFileSync(file, `${child.pid!} ${Number(ticks) + 1}\n`)
  assert.equal(readPidFile(file), undefined, 'another start time is another process')
  assert.equal(await endLeftover(file, 'SIGTERM', 2_000), false)
  assert.ok(isAlive(child.pid!))

  writePidFile(file, child.pid!)
  assert.equal(await endLeftover(file, 'SIGTERM', 2_000), true)
  assert.equal(isAlive(child.pid!), false)
  assert.equal(existsSync(file), false)
})

test('a postmaster.pid is cleared only where no Postgres runs on that folder', () => {
  const file = join(folder, 'postmaster.pid')
  writeFileSync(file, `${process.pid}\n${folder}\n`)
  clearStalePostmaster(folder)
  assert.equal(existsSync(file), false, 'this process is no Postgres')
})

test("a log's last lines are whole, and the earlier run's log is kept beside it", () => {
  const file = join(folder, 'logs/long.log')
  assert.deepEqual(lastLines(file, 3), [])
  rotateLog(file)
  const lines = Array.from({ length: 2_000 }, (_, n) => `line ${n}`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  assert.deepEqual(lastLines(file, 3), ['line 1997', 'line 1998', 'line 1999'])
  assert.ok(lastLines(file, 5_000).every((line) => /^line \d+$/.test(line)))
  rotateLog(file)
  assert.equal(existsSync(file), false)
  assert.equal(lastLines(`${file}.1`, 1)[0], 'line 1999')
})

/** A service that is ready as often as it is told to be, and dies on command. */
function aService(readyTimes: number) {
  let starts = 0
  let die: (how: string) => void = () => undefined
  const service: Service = {
    name: 'thing',
    claims: [],
    port: 0,
    logFile: join(folder, 'no such log'),
    pid: undefined,
    endLeftover: () => Promise.resolve(false),
    start() {
      starts++
      return starts <= readyTimes ? Promise.resolve() : Promise.reject(new Error('it is broken'))
    },
    stop: () => Promise.resolve(),
    kill: () => Promise.resolve(),
    onDeath: (listener) => void (die = listener),
  }
  return { service, die: (how: string) => die(how), starts: () => starts }
}

test('what never starts is given up after its attempts, and says why', async () => {
  const { service, starts } = aService(0)
  const reports: string[] = []
  const kept = new Kept(service, { attemptsMax: 2, report: (line) => void reports.push(line) })
  await assert.rejects(kept.start(), {
    code: 'supervisor.keepsEnding',
    message: 'the thing could not be started 2 times in a row: it is broken',
  })
  assert.equal(starts(), 2)
  assert.deepEqual(reports, ['it is broken\n  (trying again in 0.5 s)'])
  await kept.stop()
})

test('what dies more often than it may is left alone', async () => {
  const { service, die, starts } = aService(Infinity)
  const reports: string[] = []
  const report = (line: string) => void reports.push(line)
  const kept = new Kept(service, { attemptsMax: 1, restartsMax: 1, report })
  await kept.start()
  die('exit code 3')
  while (kept.state !== 'ready' || kept.restarts === 0) await sleep(20)
  die('exit code 4')
  assert.equal(kept.state, 'failed')
  assert.equal(starts(), 2)
  assert.match(
    reports.at(-1) ?? '',
    /^thing died \(exit code 4\), and is not started again; its log/,
  )
  await kept.stop()
  assert.equal(kept.state, 'failed')
})

test('a back-off does not outlive a stop', async () => {
  const { service, die, starts } = aService(1)
  const kept = new Kept(service, { attemptsMax: 1, report: () => undefined })
  await kept.start()
  die('exit code 1')
  assert.equal(kept.state, 'restarting')
  const startedMs = performance.now()
  await kept.stop()
  assert.ok(performance.now() - startedMs < 300, 'stop waited for the back-off')
  assert.equal(starts(), 1)
  assert.equal(kept.state, 'stopped')
})

test('the back-off doubles up to its bound', () => {
  assert.deepEqual([1, 2, 3].map(backOffMs), [500, 1_000, 2_000])
  assert.equal(backOffMs(100), LIMITS.restartMsMax)
})

test("advice on the kernel's mappings is given where they are few", () => {
  const file = join(folder, 'max_map_count')
  writeFileSync(file, '65530\n')
  assert.match(mapCountAdvice(file) ?? '', /65530 .*sysctl -w vm\.max_map_count=1048576/)
  writeFileSync(file, '1048576\n')
  assert.equal(mapCountAdvice(file), undefined)
  assert.equal(mapCountAdvice(join(folder, 'no such file')), undefined)
  writeFileSync(file, '65530\n')
  raiseMapCount(file)
  assert.equal(mapCountAdvice(file), undefined)
  raiseMapCount(join(folder, 'no folder', 'no such file'))
})
