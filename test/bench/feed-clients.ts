import { WebSocket } from 'ws'

/**
 * The clients of `bench:feed`, in a process of their own: each looks at some meters in mode
 * `latest` and at all anomalies in mode `every`. What is read is looked at as bytes: a thousand
 * dashboards would share no machine with what they look at.
 */
export interface FeedClients {
  readonly apiUrl: string
  readonly clients: number
  readonly meters: number
  readonly metersEach: number
  readonly anomalies: number
}

export interface FeedReport {
  /** Anomalies that some client was not told, or was told twice, over all clients. */
  readonly lost: number
  readonly doubled: number
  readonly told: number
  readonly latestMessages: number
  readonly latestBytes: number
  readonly closed: number
}

const options = JSON.parse(process.argv[2]!) as FeedClients
const ANOMALIES = Buffer.from('{"type":"anomalies"')
const REVISION = Buffer.from('"revision":')

let told = 0
let doubled = 0
let latestMessages = 0
let latestBytes = 0
let closed = 0

async function connect(n: number): Promise<Uint8Array> {
  const seen = new Uint8Array(options.anomalies)
  const ws = new WebSocket(`${options.apiUrl.replace('http', 'ws')}/api/live`)
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
  const meters = Array.from(
    { length: options.metersEach },
    (_, i) => `m-${(n * options.metersEach + i) % options.meters}`,
  )
  const subscribed = new Promise<void>((resolve) => {
    let left = 2
    ws.on('message', (data: Buffer) => {
      if (data.subarray(0, ANOMALIES.length).equals(ANOMALIES)) take(data, seen)
      else if (left > 0 && data.includes('"subscribed"')) {
        left -= 1
        if (left === 0) resolve()
      } else {
        latestMessages += 1
        latestBytes += data.length
      }
    })
  })
  ws.on('close', () => (closed += 1))
  const say = (message: object) => ws.send(JSON.stringify({ type: 'subscribe', ...message }))
  say({ id: 'meters', topic: 'readings', mode: 'latest', meters })
  say({ id: 'anomalies', topic: 'anomalies', mode: 'every' })
  await subscribed
  return seen
}

/** The revision of each anomaly is its number. */
function take(data: Buffer, seen: Uint8Array): void {
  for (let at = data.indexOf(REVISION); at >= 0; at = data.indexOf(REVISION, at)) {
    at += REVISION.length
    let number = 0
    for (let digit = data[at]! - 48; digit >= 0 && digit <= 9; digit = data[++at]! - 48) {
      number = number * 10 + digit
    }
    told += 1
    if (seen[number] === 1) doubled += 1
    seen[number] = 1
  }
}

const all: Uint8Array[] = []
for (let from = 0; from < options.clients; from += 50) {
  const count = Math.min(50, options.clients - from)
  all.push(...(await Promise.all(Array.from({ length: count }, (_, i) => connect(from + i)))))
}
process.send!('connected')
process.on('message', () => {
  let lost = 0
  for (const seen of all) for (const one of seen) if (one === 0) lost += 1
  const report: FeedReport = { lost, doubled, told, latestMessages, latestBytes, closed }
  process.send!(report)
})
