import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type TestBrowser, startBrowser } from './browser.ts'
import { cuttableLine } from './cuttable.ts'
import { type WebStage, ZONE, eventually, minutes, webStage } from './stage.ts'

// The dashboard on the real pipeline: MQTT, Kafka, processor, QuestDB, api, Chromium.

const HOUR_MS = 3_600_000
const LIVE = 'dash-live'
const SPIKY = 'dash-spiky'
/** The spiky meter's history ends here; what comes later makes its windows close. */
const PAST_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 3 * HOUR_MS

let browser: TestBrowser
let stage: WebStage
const endings: (() => unknown)[] = []
const scope = { after: (end: () => unknown) => void endings.push(end) }

before(async () => {
  browser = await startBrowser(scope)
  stage = await webStage(scope, [LIVE, SPIKY, 'dash-never'])
  const now = Date.now()
  await stage.publish(LIVE, minutes(now - 9 * HOUR_MS, now - 60_000))
  await stage.publish(SPIKY, minutes(PAST_MS - 9 * HOUR_MS, PAST_MS))
  await stage.pipeline.settled()
})
after(async () => {
  for (const end of endings) await end()
})

type Known = readonly (readonly [atMicros: number, value: number | null])[]

const readingsOf = (page: Page) => page.evaluate<Known>('window.meterloomChart.readings()')

/** Waits until this holds of the chart; the page's policy forbids to wait for it there. */
function chartHas(page: Page, what: string): Promise<boolean> {
  const asked = `(window.meterloomChart?.${what}) === true`
  return eventually(what, () => page.evaluate<boolean>(asked))
}

/** Waits until the chart's newest reading is this one; answers where it came from. */
function newestIs(page: Page, atMs: number): Promise<string> {
  return eventually(`the reading of ${new Date(atMs).toISOString()}`, async () => {
    const { newestAt, newestFrom } = await page.evaluate<Record<string, string>>(
      '({ ...document.documentElement.dataset })',
    )
    return newestAt === String(atMs * 1_000) && newestFrom
  })
}

/** Each of the readings is in the chart once, in order, and none that was not published. */
async function assertWhole(page: Page, fromMs: number, published: readonly [number, number][]) {
  const wanted = published.map(([atMs, value]) => [atMs * 1_000, value])
  const known = await eventually('all readings', async () => {
    const found = (await readingsOf(page)).filter(([at]) => at >= fromMs * 1_000)
    return found.length >= wanted.length && found
  })
  assert.deepEqual(known, wanted)
}

test('the chart has the history, and moves by what comes over the WebSocket', async () => {
  const { page, problems, shot } = await browser.open(`${stage.apiUrl}/meters/${LIVE}?last=3600`)
  await chartHas(page, 'readings().length >= 50')
  const atMs = Date.now()
  await stage.publish(LIVE, [[atMs, 1_111]])
  assert.equal(await newestIs(page, atMs), 'live')
  // The channel's own value moves too.
  await page.getByText('1.11').first().waitFor()
  await shot('real-meter')
  assert.deepEqual(problems, [])
  await page.context().close()
})

async function feedCounts(): Promise<{ resumes: number; resyncs: number }> {
  const text = await (await fetch(`${stage.apiUrl}/metrics`)).text()
  const count = (name: string) =>
    Number(new RegExp(`^meterloom_live_${name}_total (\\d+)`, 'm').exec(text)?.[1])
  return { resumes: count('resumes'), resyncs: count('resyncs') }
}

test('a line that is cut is mended without a gap and without a double', async () => {
  const line = await cuttableLine(scope, stage.apiUrl)
  const { page } = await browser.open(`${line.url}/meters/${LIVE}?last=3600`)
  await page.waitForSelector('.connection.live')
  const fromMs = Date.now()
  const published: [number, number][] = []
  const publish = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const reading: [number, number] = [fromMs + published.length * 10, 500 + published.length]
      published.push(reading)
      await stage.publish(LIVE, [reading])
    }
  }
  await publish(20)
  assert.equal(await newestIs(page, published.at(-1)![0]), 'live')
  const before = await feedCounts()
  line.cut()
  await page.waitForSelector('.connection:not(.live)')
  await publish(40)
  line.mend()
  await page.waitForSelector('.connection.live')
  await publish(20)
  await assertWhole(page, fromMs, published)
  // The feed went on from its tokens: nobody had to be told that it could not.
  const after = await feedCounts()
  assert.ok(after.resumes > before.resumes)
  assert.equal(after.resyncs, before.resyncs)
  await page.context().close()
})

test('an api that was started anew knows no token: REST tells what lies between', async () => {
  const { page } = await browser.open(`${stage.apiUrl}/meters/${LIVE}?last=3600`)
  await page.waitForSelector('.connection.live')
  await chartHas(page, 'readings().length >= 50')
  const fromMs = Date.now()
  const published = Array.from({ length: 60 }, (_, i): [number, number] => [
    fromMs + i * 10,
    700 + i,
  ])
  await stage.publish(LIVE, published.slice(0, 20))
  await newestIs(page, published[19]![0])
  await stage.endApi()
  await page.waitForSelector('.connection:not(.live)')
  await stage.publish(LIVE, published.slice(20, 40))
  await stage.startApi()
  await page.waitForSelector('.connection.live')
  await stage.publish(LIVE, published.slice(40))
  await assertWhole(page, fromMs, published)
  await page.context().close()
})

test('a verdict is on the page as it comes, and leads to its place on the chart', async () => {
  const { page, problems, shot, violations } = await browser.open(`${stage.apiUrl}/anomalies`)
  await page.waitForSelector('.connection.live')
  await page.getByText('Nothing unusual was ever seen').waitFor()
  const spikeMs = PAST_MS + HOUR_MS / 4
  const isSpike = (at: number) => at >= spikeMs && at < spikeMs + HOUR_MS / 4
  const later = minutes(PAST_MS, PAST_MS + HOUR_MS, (at) => (isSpike(at) ? 9_000 : undefined))
  await stage.publish(SPIKY, later)
  await page.getByRole('link', { name: SPIKY }).first().waitFor()
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, timeStyle: 'short' })
  await page
    .getByText(`${clock.format(spikeMs)} – `)
    .first()
    .waitFor()
  await shot('real-anomalies')
  assert.deepEqual(await violations(), [])
  await page.getByRole('link', { name: SPIKY }).first().click()
  await chartHas(page, 'picture().marks.length === 1')
  await chartHas(page, 'picture().bands.length > 4')
  await shot('real-anomaly')
  assert.deepEqual(await violations(), [])
  assert.deepEqual(problems, [])
  await page.context().close()
})

test('the overview counts the fleet, and its values move', async () => {
  const { page, problems, shot, violations } = await browser.open(stage.apiUrl, { theme: 'dark' })
  const row = page.getByRole('row', { name: new RegExp(LIVE) })
  await row.waitFor()
  await stage.publish(LIVE, [[Date.now(), 4_321]])
  await row.getByText('4.32').waitFor()
  const tiles = page.locator('.tile-fleet')
  await tiles.getByText('2 reporting').or(tiles.getByText('1 reporting')).waitFor()
  await tiles.getByText('1 never seen').waitFor()
  await page.getByRole('row', { name: /dash-never/ }).waitFor()
  await shot('real-overview')
  assert.deepEqual(await violations(), [])
  assert.deepEqual(problems, [])
  await page.context().close()
})

test("the pipeline's page tells each stage's rate", async () => {
  const { page, problems, shot, violations } = await browser.open(`${stage.apiUrl}/pipeline`)
  await page.getByText('All stages are ready').waitFor()
  await stage.publisher.publish('fleet/demo/x/readings', 'no JSON')
  await page.getByText(/notJson|badJson|not JSON/i).waitFor()
  const stages = page.locator('.stage .tile-value')
  await eventually('a rate of each stage', async () => {
    const texts = await stages.allTextContents()
    return texts.length === 4 && texts.every((text) => /^[\d.,]+/.test(text))
  })
  await shot('real-pipeline')
  assert.deepEqual(await violations(), [])
  assert.deepEqual(problems, [])
  await page.context().close()
})
