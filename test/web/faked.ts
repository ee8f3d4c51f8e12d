import { after, before } from 'node:test'
import { type TestBrowser, startBrowser } from './browser.ts'
import { type FakeApi, startFakeApi } from './fake-api.ts'

/** A real Chromium beside an api of made-up answers, for all tests of the file that calls it. */
export function browserOnFake(): { readonly browser: TestBrowser; readonly fake: FakeApi } {
  let browser: TestBrowser
  let fake: FakeApi
  const endings: (() => unknown)[] = []
  before(async () => {
    browser = await startBrowser({ after: (end: () => unknown) => endings.push(end) })
    fake = await startFakeApi()
  })
  after(async () => {
    for (const end of endings) await end()
    await fake.close()
  })
  return {
    get browser() {
      return browser
    },
    get fake() {
      return fake
    },
  }
}
