import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import type { ServerMessage } from '../../src/api/contract/live.ts'
import { questdbQuery } from '../support/questdb.ts'
import { publishPaced, quantiles, startStack } from './stack.ts'

const HELP = `npm run bench:latency -- [options]

How long a reading takes from its PUBLISH until a WebSocket client has its message, and until its
row is visible in QuestDB, while the whole fleet speaks: bridge, processor with every topology, api.

  --per-second N   readings a second (5000)
  --meters N       meters that share them (1000)
  --seconds N      measured time (60), after 15 s to get warm
  --json           one line for programs`

const { values: flags } = parseArgs({
  options: {
    'per-second': { type: 'string', default: '5000' },
    meters: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const load = { perSecond: Number(flags['per-second']), meters: Number(flags.meters) }
const WARM_SECONDS = 15
/** One in so many meters is watched. */
const WATCHED_OF = 10
const POLL_MS = 20

/** When each watched reading was published, by meter and its time. */
const sentMs = new Map<string, number>()

class Watch {
  readonly latenciesMs: number[] = []
  isOn = false

  seen(meterId: string, atMillis: number): void {
    const sent = sentMs.get(`${meterId}/${atMillis}`)
    if (sent !== undefined && this.isOn) this.latenciesMs.push(performance.now() - sent)
  }
}

async function subscribe(apiUrl: string, watch: Watch, meters: string[], mode: string) {
  const ws = new WebSocket(`${apiUrl.replace('http', 'ws')}/api/live`)
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
  ws.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as ServerMessage
    if (message.type !== 'readings') return
    for (const { meterId, at } of message.items) watch.seen(meterId, Date.parse(at))
  })
  ws.send(JSON.stringify({ type: 'subscribe', id: 'w', topic: 'readings', mode, meters }))
  return ws
}

/** Asks for the newest rows of some meters again and again: a row counts from when it is seen. */
async function watchRows(
  questdbUrl: string,
  table: string,
  watch: Watch,
  meters: readonly string[],
  stop: AbortSignal,
): Promise<void> {
  const list = meters.map((meterId) => `'${meterId}'`).join(',')
  const newest = new Map(meters.map((meterId) => [meterId, Date.now()]))
  while (!stop.aborted) {
    const since = new Date(Math.min(...newest.values()) - 1_000).toISOString()
    const rows = await questdbQuery(
      questdbUrl,
      `select meter_id, cast(ts as long) from '${table}' ` +
        `where meter_id in (${list}) and ts > '${since}'`,
    )
    for (const [meterId, ts] of rows) {
      const name = String(meterId)
      const atMillis = Number(ts) / 1_000
      if (atMillis <= newest.get(name)!) continue
      newest.set(name, atMillis)
      watch.seen(name, atMillis)
    }
    await sleep(POLL_MS)
  }
}

async function main(): Promise<void> {
  const stack = await startStack()
  const stopping = new AbortController()
  const sockets: WebSocket[] = []
  try {
    const watched = Array.from({ length: load.meters }, (_, n) => n)
      .filter((n) => n % WATCHED_OF === 0)
      .map((n) => `m-${n}`)
    const every = new Watch()
    const latest = new Watch()
    const rows = new Watch()
    sockets.push(await subscribe(stack.api.opsUrl, every, watched, 'every'))
    sockets.push(await subscribe(stack.api.opsUrl, latest, watched.slice(0, 10), 'latest'))
    const { questdbUrl, tablePrefix } = stack.pipeline.config
    const watching = watchRows(
      questdbUrl,
      `${tablePrefix}readings`,
      rows,
      watched.slice(0, 20),
      stopping.signal,
    )
    const seconds = WARM_SECONDS + Number(flags.seconds)
    const publisher = await stack.publisher(50)
    const before = stack.usage()
    const paced = publishPaced(publisher, { ...load, seconds }, (meter, atMillis, ms) => {
      if (meter % WATCHED_OF === 0) sentMs.set(`m-${meter}/${atMillis}`, ms)
    })
    await sleep(WARM_SECONDS * 1_000)
    for (const watch of [every, latest, rows]) watch.isOn = true
    await paced.done
    for (const watch of [every, latest, rows]) watch.isOn = false
    const after = stack.usage()
    stopping.abort()
    await watching
    report({ every, latest, rows }, before, after, seconds)
  } finally {
    stopping.abort()
    for (const socket of sockets) socket.terminate()
    await stack.stop()
  }
}

type Usage = ReturnType<Awaited<ReturnType<typeof startStack>>['usage']>

function report(watches: Readonly<Record<string, Watch>>, before: Usage, after: Usage, s: number) {
  const results = Object.fromEntries(
    Object.entries(watches).map(([name, watch]) => [name, quantiles(watch.latenciesMs)]),
  )
  const cpu = Object.fromEntries(
    Object.entries(after).map(([role, { cpuSeconds }]) => [
      role,
      Math.round(((cpuSeconds - before[role]!.cpuSeconds) / s) * 1_000) / 10,
    ]),
  )
  if (flags.json) {
    console.log(JSON.stringify({ ...load, ...results, cpuPercent: cpu }))
    return
  }
  const names: Readonly<Record<string, string>> = {
    every: 'PUBLISH to WebSocket, every',
    latest: 'PUBLISH to WebSocket, latest',
    rows: 'PUBLISH to row in QuestDB',
  }
  console.log(`${load.perSecond} readings/s of ${load.meters} meters`)
  for (const [name, { count, p50Ms, p99Ms, maxMs }] of Object.entries(results)) {
    const text = `p50 ${p50Ms} ms, p99 ${p99Ms} ms, largest ${maxMs} ms`
    console.log(`  ${names[name]!.padEnd(30)} ${text} (${count} readings)`)
  }
  const shares = Object.entries(cpu).map(([role, percent]) => `${role} ${percent} %`)
  console.log(`  CPU of one core: ${shares.join(', ')}`)
}

if (flags.help) console.log(HELP)
else await main()
