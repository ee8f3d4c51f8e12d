import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserOnFake } from './faked.ts'
import { windowAt } from './fake-data.ts'
import { eventually } from './stage.ts'

// Goal: where the store is behind the feed, the chart is whole as soon as the store is there.

const MINUTE_MS = 60_000

const on = browserOnFake()

test('windows that the store did not have yet are asked for until none is missing', async () => {
  on.fake.behindMs = 40 * MINUTE_MS
  const { page } = await on.browser.open(`${on.fake.url}/meters/sim-0001?last=21600&width=1m`)
  const x = () => page.evaluate<number[]>('window.meterloomChart?.picture().line.x ?? []')
  const y = () => page.evaluate<(number | null)[]>('window.meterloomChart?.picture().line.y ?? []')
  await eventually('windows', async () => (await x()).length > 300)
  const missed = (await x()).at(-1)! + MINUTE_MS
  const live = Math.floor(Date.now() / MINUTE_MS - 2) * MINUTE_MS
  // The feed tells the newest window; those before it were told before the page was open.
  const item = windowAt('sim-0001', 'power_w', '1m', live)
  for (let n = 1; n <= 4; n++) {
    on.fake.say({ type: 'windows', id: `windows-${n}`, items: [item] })
  }
  await eventually('the newest window, behind a gap', async () => (await y()).includes(null))
  on.fake.behindMs = 0
  await eventually('the whole line', async () => !(await y()).includes(null))
  const times = await x()
  assert.ok(times.includes(missed))
  assert.equal(new Set(times).size, times.length)
  await page.context().close()
})
