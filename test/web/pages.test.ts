import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TestBrowser, TestPage } from './browser.ts'
import { browserOnFake } from './faked.ts'

// Every page in every state, in a real Chromium, on an api of made-up answers.

const PAGES = [
  { name: 'overview', path: '/', shown: '.meter-list .row-link' },
  { name: 'meter', path: '/meters/sim-0002?last=86400', shown: '.data-tables td' },
  { name: 'anomalies', path: '/anomalies', shown: '.anomalies .row-link' },
  { name: 'pipeline', path: '/pipeline', shown: '.stage .level' },
  { name: 'not-found', path: '/nowhere', shown: '.empty' },
] as const

const on = browserOnFake()

async function openShown(
  { path, shown }: { path: string; shown: string },
  options: Parameters<TestBrowser['open']>[1] = {},
): Promise<TestPage> {
  const opened = await on.browser.open(on.fake.url + path, options)
  await opened.page.waitForSelector(shown)
  await opened.page.waitForSelector('.connection.live')
  return opened
}

for (const theme of ['light', 'dark'] as const) {
  for (const page of PAGES) {
    test(`the page ${page.name} has nothing that axe objects to, in ${theme}`, async () => {
      const opened = await openShown(page, { theme })
      await opened.shot(`${page.name}-${theme}`)
      assert.deepEqual(await opened.violations(), [])
      assert.deepEqual(opened.problems, [])
      await opened.page.context().close()
    })
  }
}

for (const page of PAGES) {
  test(`the page ${page.name} fits a narrow screen`, async () => {
    const opened = await openShown(page, { width: 360, height: 740 })
    const width = await opened.page.evaluate<number>('document.documentElement.scrollWidth')
    await opened.shot(`${page.name}-narrow`)
    assert.ok(width <= 360, `it is ${width} pixels wide`)
    assert.deepEqual(await opened.violations(), [])
    await opened.page.context().close()
  })
}

describe('states', () => {
  test('of an empty fleet say what to do next', async () => {
    on.fake.meters = 0
    const opened = await on.browser.open(on.fake.url)
    await opened.page.getByText('No meter was seen yet').waitFor()
    await opened.page.getByText('mosquitto_pub').waitFor()
    await opened.page.getByText('Nothing unusual in the last 24 hours').waitFor()
    await opened.shot('overview-empty')
    assert.deepEqual(await opened.violations(), [])
    await opened.page.goto(`${on.fake.url}/meters/nobody`)
    await opened.page.getByText('No meter of the name nobody').waitFor()
    await opened.page.goto(`${on.fake.url}/anomalies`)
    await opened.page.getByText('Nothing unusual was ever seen').waitFor()
    on.fake.meters = 200
    await opened.page.context().close()
  })

  test('of an api that fails show what it said, and try again when asked to', async () => {
    for (const path of ['/api/meters', '/api/anomalies', '/api/overview'])
      on.fake.broken.set(path, 503)
    const opened = await on.browser.open(on.fake.url)
    const said = opened.page.getByText('QuestDB did not answer within 10 s.')
    await said.first().waitFor()
    assert.equal(await said.count(), 3)
    await opened.shot('overview-failed')
    assert.deepEqual(await opened.violations(), [])
    on.fake.broken.clear()
    await opened.page.locator('.meter-list').getByRole('button', { name: 'Try again' }).click()
    await opened.page.waitForSelector('.meter-list .row-link')
    assert.deepEqual(opened.problems, [])
    await opened.page.context().close()
  })

  test('of an api that does not answer yet keep their place', async () => {
    on.fake.broken.set('/api/meters', 'hangs')
    const opened = await on.browser.open(on.fake.url)
    await opened.page.waitForSelector('.meter-list .loading')
    const before = await opened.page.locator('.meter-list').boundingBox()
    on.fake.broken.clear()
    await opened.page.reload()
    await opened.page.waitForSelector('.meter-list .row-link')
    assert.deepEqual(await opened.page.locator('.meter-list').boundingBox(), before)
    await opened.page.context().close()
  })
})
