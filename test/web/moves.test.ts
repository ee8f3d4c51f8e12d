import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { browserOnFake } from './faked.ts'
import { anomalyAt } from './fake-data.ts'
import { eventually } from './stage.ts'

// What a person does on the pages, by pointer and by keys, in a real Chromium.

const on = browserOnFake()

const HOUR_MS = 3_600_000

interface Seen {
  readonly from: number
  readonly to: number
  readonly isLive: boolean
}
const viewOf = (page: Page) => page.evaluate<Seen>('window.meterloomChart.view()')

/** Waits until the chart shows something else than before; answers what. */
async function moved(page: Page, before: Seen): Promise<Seen> {
  return eventually('another view', async () => {
    const view = await viewOf(page)
    const isOther = view.to - view.from !== before.to - before.from || view.isLive !== before.isLive
    const isElsewhere = Math.abs(view.from - before.from) > 10_000
    return (isOther || isElsewhere) && view
  })
}

/** One of a few, which a radio button is behind. */
const choose = (page: Page, name: string) =>
  page.getByRole('radio', { name: new RegExp(`^${name}`) }).check()

const spanOf = ({ from, to }: Seen) => to - from

async function openChart(path = '/meters/sim-0001?last=3600') {
  const opened = await on.browser.open(on.fake.url + path)
  await eventually('the chart', async () => {
    const count = await opened.page.evaluate('window.meterloomChart?.picture().line.x.length')
    return Number(count) > 10
  })
  return opened.page
}

describe('the chart', () => {
  test('zooms to what is dragged over, and a double click leads back to the present', async () => {
    const page = await openChart()
    const start = await viewOf(page)
    assert.ok(start.isLive)
    const { x, y, width } = (await page.locator('.u-over').boundingBox())!
    await page.mouse.move(x + width * 0.25, y + 80)
    await page.mouse.down()
    await page.mouse.move(x + width * 0.5, y + 90, { steps: 5 })
    await page.mouse.up()
    const zoomed = await moved(page, start)
    assert.ok(!zoomed.isLive)
    assert.ok(Math.abs(spanOf(zoomed) / spanOf(start) - 0.25) < 0.02)
    assert.ok(Math.abs((zoomed.from - start.from) / spanOf(start) - 0.25) < 0.02)
    await page.mouse.dblclick(x + width * 0.5, y + 100)
    assert.ok((await moved(page, zoomed)).isLive)
    await page.context().close()
  })

  test('zooms by the wheel around the pointer, and goes into history sideways', async () => {
    const page = await openChart()
    const start = await viewOf(page)
    const { x, y, width } = (await page.locator('.u-over').boundingBox())!
    await page.mouse.move(x + width * 0.5, y + 80)
    await page.mouse.wheel(0, -240)
    const zoomed = await moved(page, start)
    assert.ok(spanOf(zoomed) < spanOf(start))
    const middle = ({ from, to }: Seen) => (from + to) / 2
    assert.ok(Math.abs(middle(zoomed) - middle(start)) < 30_000)
    await page.mouse.wheel(-400, 0)
    const panned = await moved(page, zoomed)
    assert.ok(panned.from < zoomed.from)
    assert.ok(Math.abs(spanOf(panned) - spanOf(zoomed)) < 1)
    await page.context().close()
  })

  test('is moved by keys, tells its points, and fetches what is behind its edge', async () => {
    const page = await openChart()
    await page.getByRole('application').focus()
    let view = await viewOf(page)
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press('ArrowLeft')
      view = await moved(page, view)
    }
    assert.ok(!view.isLive)
    const { from, to } = view
    await eventually('readings of then', async () => {
      const xs = await page.evaluate<number[]>('window.meterloomChart.picture().line.x')
      return xs.some((at) => at < from + 60_000) && xs.some((at) => at > to - 60_000)
    })
    await page.keyboard.press('Shift+ArrowLeft')
    await page.keyboard.press('Shift+ArrowLeft')
    await page
      .locator('output')
      .getByText(/CES?T: Reading [\d.]+ k?W/)
      .waitFor()
    await page.keyboard.press('+')
    const zoomed = await moved(page, view)
    assert.ok(Math.abs(spanOf(zoomed) / spanOf(view) - 0.6) < 0.01)
    await page.keyboard.press('-')
    await moved(page, zoomed)
    await page.keyboard.press('End')
    await page.waitForSelector('.live-button.is-live')
    await page.context().close()
  })

  test('is kept by its address: span, channel and width', async () => {
    const page = await openChart()
    await choose(page, '7 d')
    await page.getByLabel('Width').selectOption('1h')
    await choose(page, 'Voltage')
    const told = [/last=604800/, /width=1h/, /channel=voltage_v/]
    await eventually('the address', () =>
      Promise.resolve(told.every((part) => part.test(page.url()))),
    )
    await page.reload()
    await page.getByText('windows of 1 h,').waitFor()
    assert.equal(await page.getByRole('radio', { name: 'Voltage' }).isChecked(), true)
    assert.ok(Math.abs(spanOf(await viewOf(page)) - 168 * HOUR_MS) < 1)
    await page.getByRole('button', { name: 'All', exact: true }).click()
    await eventually('all of it', async () => spanOf(await viewOf(page)) > 38 * 24 * HOUR_MS)
    await page.context().close()
  })

  test('has a table of the same values, and a gap where nothing was measured', async () => {
    const page = await openChart('/meters/sim-0002?last=86400')
    await choose(page, 'Points of the chart')
    const table = page.getByRole('region', { name: 'Points of the chart, a table' })
    await table.getByRole('row').nth(3).waitFor()
    const count = Number(await table.getByRole('table').getAttribute('aria-rowcount'))
    const { x, y } = await page.evaluate<{ x: number[]; y: (number | null)[] }>(
      'window.meterloomChart.picture().line',
    )
    const { from, to } = await viewOf(page)
    const seen = y.filter((_, i) => x[i]! >= from && x[i]! <= to)
    assert.ok(count > 80)
    assert.equal(seen.filter((value) => value === null).length, 1)
    await page.context().close()
  })
})

test('by keys alone one comes from the head of the page to a meter and back', async () => {
  const { page } = await on.browser.open(on.fake.url)
  await page.waitForSelector('.meter-list .row-link')
  const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()')
  await page.keyboard.press('Tab')
  assert.equal(await focused(), 'Skip to the content')
  for (const name of ['Meterloom', 'Overview', 'Anomalies', 'Pipeline']) {
    await page.keyboard.press('Tab')
    assert.equal(await focused(), name)
    const outline = 'getComputedStyle(document.activeElement).outlineStyle'
    assert.equal(await page.evaluate(outline), 'solid', `${name} has a visible focus`)
  }
  await page.locator('.meter-list .row-link').first().focus()
  for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowDown')
  assert.match(await focused(), /^sim-0031/)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'sim-0031' }).waitFor()
  assert.equal(await page.evaluate('document.activeElement.id'), 'main')
  assert.equal(await page.title(), 'sim-0031 · Meterloom')
  await page.goBack()
  await page.waitForSelector('.meter-list .row-link')
  await page.context().close()
})

test('the list of meters is searched, filtered and sorted, and its values move', async () => {
  const { page } = await on.browser.open(on.fake.url)
  const rows = page.locator('.meter-list tbody tr:not(.spacer)')
  const foot = page.locator('.meter-list .panel-foot')
  await foot.getByText('200 meters').waitFor()
  // Two hundred meters are there, and as many rows as are seen.
  assert.ok((await rows.count()) < 40)
  await choose(page, 'Silent')
  await foot.getByText('11 meters').waitFor()
  await choose(page, 'All')
  await page.getByPlaceholder('Meter or place').fill('Old Mill')
  await foot.getByText('40 meters').waitFor()
  await page.getByRole('button', { name: 'Power' }).click()
  const powers = async () =>
    (await rows.locator('td:nth-child(3)').allTextContents()).slice(0, 5).map((text) => {
      const [number = '', unit] = text.split(' ')
      return Number(number) * (unit === 'kW' ? 1_000 : 1)
    })
  await eventually('the order', async () => {
    const shown = await powers()
    return shown.length === 5 && shown.every((value, i) => i === 0 || value >= shown[i - 1]! * 0.8)
  })
  await page.getByPlaceholder('Meter or place').fill('nothing like it')
  await page.getByText('No meter fits').waitFor()
  await page.getByRole('button', { name: 'Show all meters' }).click()
  await foot.getByText('200 meters').waitFor()
  const at = `${new Date(Date.now() + 60_000).toISOString().slice(0, 23)}000Z`
  const item = { meterId: 'sim-0001', channel: 'power_w', at, value: 77_700, quality: 'MEASURED' }
  await page.getByRole('button', { name: 'Meter' }).click()
  on.fake.say({
    type: 'readings',
    id: await latestId(page),
    items: [{ ...item, seq: null } as never],
  })
  await page.getByText('77.70').waitFor()
  await page.context().close()
})

/** Subscriptions are numbered: one of these ids is that of the list. */
async function latestId(page: Page): Promise<string> {
  await page.waitForTimeout(500)
  return on.fake.lastId('readings')
}

test('the theme is toggled and remembered', async () => {
  const { page } = await on.browser.open(on.fake.url, { theme: 'light' })
  const ground = () =>
    page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')
  const light = await ground()
  await page.getByRole('button', { name: /^Theme/ }).click()
  await page.getByRole('button', { name: /^Theme: light/ }).click()
  await page.getByRole('button', { name: /^Theme: dark/ }).waitFor()
  const dark = await ground()
  assert.notEqual(dark, light)
  await page.reload()
  await page.getByRole('button', { name: /^Theme: dark/ }).waitFor()
  assert.equal(await ground(), dark)
  await page.context().close()
})

const BOX = "document.querySelector('.anomalies .table-box')"
const scrollTo = (page: Page, top: string) => page.evaluate(`${BOX}.scrollTop = ${top}`)

test('anomalies come on top; while somebody reads further down they wait', async () => {
  const { page } = await on.browser.open(`${on.fake.url}/anomalies`)
  await page.waitForSelector('.anomalies .row-link')
  await page.waitForSelector('.connection.live')
  const first = () => page.locator('.anomalies .row-link').first().textContent()
  let start = Math.floor(Date.now() / 900_000) * 900_000
  const say = (meterId: string) => {
    start += 900_000
    const item = { ...anomalyAt(meterId, start), state: 'active' as const }
    on.fake.say({ type: 'anomalies', id: on.fake.lastId('anomalies'), items: [item] })
  }
  say('sim-0100')
  await eventually('it on top', async () => (await first()) === 'sim-0100')
  await scrollTo(page, '4000')
  say('sim-0111')
  await page.getByRole('button', { name: '1 new: show it' }).waitFor()
  assert.ok((await page.evaluate<number>(`${BOX}.scrollTop`)) > 3_000)
  await page.getByRole('button', { name: '1 new: show it' }).click()
  await eventually('it on top', async () => (await first()) === 'sim-0111')
  // History goes on as one scrolls.
  const foot = page.locator('.anomalies .panel-foot')
  const countOf = async () =>
    Number(/[\d,]+/.exec((await foot.textContent())!)![0].replace(',', ''))
  const before = await countOf()
  assert.ok(before < 210, 'only what is seen is asked for')
  await scrollTo(page, `${BOX}.scrollHeight`)
  await eventually('older ones', async () => (await countOf()) > before)
  await choose(page, 'High')
  await eventually('high ones alone', async () => {
    const names = await page.locator('.anomalies .severity-name').allTextContents()
    return names.length > 5 && names.every((name) => name === 'high' || name === 'withdrawn')
  })
  assert.match(page.url(), /severity=high/)
  await page.context().close()
})
