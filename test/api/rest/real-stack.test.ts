import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { Check } from 'typebox/value'
import { WindowChart, BaselineChart, Problem, pageOf } from '../../../src/api/contract/answers.ts'
import * as items from '../../../src/api/contract/items.ts'
import { Overview, Pipeline } from '../../../src/api/contract/overview.ts'
import { formatMicros } from '../../../src/kernel/time.ts'
import { storedRows } from '../../oracle/stored.ts'
import { testDatabase } from '../../support/database.ts'
import { startPipeline } from '../../support/pipeline.ts'
import { spawnRole } from '../../support/roles.ts'
import { examplesOfPage, pageText } from './page.ts'
import { answerOf } from './stage.ts'

// Goal: bridge, processor, worker and api as processes; what the api answers is what QuestDB holds,
// and the examples of docs/api.md do what the page says.

const databaseUrl = await testDatabase({ after })
const pipeline = await startPipeline({ after }, { overrides: { databaseUrl } })
const { questdbUrl, tablePrefix } = pipeline.config
const simulated = await pipeline.cli(
  ...['simulate', '--meters', '5', '--seed', '11', '--start', '2026-03-01T00:00:00Z'],
  ...['--until', '2026-03-03T00:00:00Z', '--speed', 'max', '--url', pipeline.mqttUrl],
  ...['--faults', 'spikes=0.02,late=0.01,disorder=0.1,corrections=0.02'],
)
assert.equal(simulated.code, 0, simulated.stderr)
await pipeline.settled()
const roles = [
  spawnRole({ after }, 'worker', pipeline.config),
  spawnRole({ after }, 'api', pipeline.config),
]
await Promise.all(roles.map((role) => role.ready()))
const url = `http://127.0.0.1:${pipeline.config.apiPort}`
const get = async (path: string, headers = {}) => answerOf(await fetch(url + path, { headers }))
const stored = await storedRows(questdbUrl, tablePrefix)

const RANGE = 'from=2026-02-01T00:00:00Z&to=2026-04-01T00:00:00Z&limit=10000'
type Item = Readonly<Record<string, unknown>>

async function walk(path: string): Promise<readonly Item[]> {
  const found: Item[] = []
  let next: string | null = ''
  while (next !== null) {
    const { status, body } = await get(`${path}&${RANGE}${next === '' ? '' : `&cursor=${next}`}`)
    assert.equal(status, 200, body.detail)
    found.push(...body.items)
    next = body.next
  }
  return found
}

/** All that the api tells of a table, by identity. */
async function told(name: string, query: string, keys: readonly string[]) {
  const found = new Map<string, Item>()
  for (const item of await walk(`/api/${name}?${query}`)) {
    const at = Date.parse(String(item['at'] ?? item['start'])) * 1_000
    assert.equal(formatMicros(at), item['at'] ?? item['start'], 'whole milliseconds')
    const series = ['demo', item['meterId'], item['channel'], at]
    const id = [...series, ...keys.map((key) => item[key])].join('|')
    assert.ok(!found.has(id), `${id} is told twice`)
    found.set(id, item)
  }
  return found
}

for (const [name, query, keys] of [
  ['readings', '', []],
  ['windows', '', ['width']],
  ['baselines', '', ['width', 'kind']],
  ['anomalies', 'state=any', ['width', 'kind']],
] as const) {
  test(`${name}: each row that QuestDB holds, once`, async () => {
    // A repair may restate windows between the two looks: then both are taken again.
    const look = async (): Promise<ReadonlyMap<string, object>> =>
      (await storedRows(questdbUrl, tablePrefix))[name]
    let rows = await look()
    for (let left = 5; ; left--) {
      assert.ok(rows.size > 20, `only ${rows.size} rows to compare`)
      const found = await told(name, query, keys)
      const [before, now] = [rows, await look()]
      rows = now
      if (left > 0 && !isDeepStrictEqual(now, before)) continue
      assert.deepEqual([...found.keys()].sort(), [...rows.keys()].sort())
      for (const [id, row] of rows) {
        const item = found.get(id)!
        const fields = Object.fromEntries(Object.keys(row).map((field) => [field, item[field]]))
        assert.deepEqual(fields, row, id)
      }
      return
    }
  })
}

test('the scene has spikes, and readings too late for their windows', async () => {
  const spikes = await walk('/api/anomalies?kind=energy_spike')
  assert.ok(spikes.length > 0)
  assert.ok(spikes.every((item) => item['state'] === 'active' && item['run'] !== 0))
  const metrics = await (await fetch(`${pipeline.processors[0]!.opsUrl}/metrics`)).text()
  assert.match(metrics, /^meterloom_engine_beyond_horizon_total [1-9]/m)
})

test('meters tell the newest reading that is stored of each', async () => {
  const newest = new Map<string, number>()
  for (const id of stored.readings.keys()) {
    const [, meterId, , at] = id.split('|')
    newest.set(meterId!, Math.max(Number(at), newest.get(meterId!) ?? 0))
  }
  const { body } = await get('/api/meters')
  assert.deepEqual(
    body.items.map(({ meterId, lastAt }) => [meterId, lastAt]),
    [...newest].sort().map(([meterId, at]) => [meterId, formatMicros(at)]),
  )
})

test('the pipeline is ready, and has done what was published', async () => {
  // The worker asks for the lag every few seconds.
  let told: Pipeline
  do {
    await sleep(200)
    told = (await get('/api/pipeline')).body as unknown as Pipeline
  } while (told.stages[1]?.lagRecords === null)
  assert.ok(Check(Pipeline, told))
  const { stages } = told
  for (const { stage, ready, reasons } of stages) assert.ok(ready, `${stage}: ${reasons.join()}`)
  const total = (name: string) => stages.find(({ stage }) => stage === name)?.total ?? 0
  const readings = Number(/^(\d+) readings/m.exec(simulated.stdout.replaceAll(',', ''))?.[1])
  assert.ok(readings > 10_000, simulated.stdout)
  assert.equal(total('bridge'), readings)
  assert.ok(total('processor') >= readings)
  assert.ok(total('questdb') >= stored.readings.size + stored.windows.size)
  assert.deepEqual(told.deadLetters, [])
  const { body } = await get('/api/overview')
  assert.ok(Check(Overview, body))
})

const SHAPES = [
  [/^\/api\/meters/, [pageOf(items.MeterItem)]],
  [/^\/api\/readings/, [pageOf(items.ReadingItem)]],
  [/^\/api\/windows.*points/, [WindowChart]],
  [/^\/api\/windows/, [pageOf(items.WindowItem)]],
  [/^\/api\/baselines/, [BaselineChart]],
  [/^\/api\/anomalies/, [pageOf(items.AnomalyItem)]],
  [/^\/api\/overview/, [Overview]],
  [/^\/api\/pipeline/, [Pipeline]],
] as const

for (const { command, path, headers, isRefused } of examplesOfPage()) {
  test(`docs/api.md: ${command}`, async () => {
    const answer = await get(path, headers)
    if (isRefused) {
      assert.equal(answer.status, 400)
      assert.ok(Check(Problem, answer.body))
      const shown = JSON.parse(/^```json\n([\s\S]*?)^```/m.exec(pageText)![1]!) as object
      assert.deepEqual({ ...answer.body, instance: '' }, { ...shown, instance: '' })
      return
    }
    assert.equal(answer.status, 200, answer.text)
    if (answer.headers.get('content-type')!.startsWith('text/csv')) {
      assert.ok(answer.text.split('\r\n').length > 5)
      return
    }
    const [, [shape]] = SHAPES.find(([pattern]) => pattern.test(path))!
    assert.ok(Check(shape, answer.body), answer.text.slice(0, 300))
    const shown = (answer.body as { items?: unknown[] }).items
    // Nobody of the simulated fleet is silent: the log stands still.
    if (!path.includes('silent')) assert.notEqual(shown?.length, 0)
  })
}
