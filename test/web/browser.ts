import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { type Browser, type Page, chromium } from 'playwright-core'
import { isExecutable } from '../../infra/setup/command.js'
import type { Scope } from '../support/database.ts'

/** A real Chromium without a screen. What goes wrong on its pages fails the test. */

const SHOTS = join(import.meta.dirname, '../../test-results/web')
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface PageOptions {
  readonly theme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
}

export interface TestBrowser {
  open(url: string, options?: PageOptions): Promise<TestPage>
}

export interface TestPage {
  readonly page: Page
  /** Errors of the page, of its policy, and questions to other hosts: none may be there. */
  readonly problems: string[]
  /** What axe finds: rule, and the elements that break it. */
  readonly violations: () => Promise<string[]>
  readonly shot: (name: string) => Promise<void>
}

function findChromium(): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, 'chromium')
    if (isExecutable(file)) return file
  }
  throw new Error("chromium is not on the PATH: run 'node infra/run.js setup'")
}

export async function startBrowser(scope: Scope): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: findChromium(),
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  scope.after(() => browser.close())
  mkdirSync(SHOTS, { recursive: true })
  return {
    async open(url, { theme = 'light', width = 1440, height = 900 } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        // Nobody waits for what only moves to look well.
        reducedMotion: 'reduce',
      })
      const page = await context.newPage()
      const problems = problemsOf(page, new URL(url).host)
      await page.goto(url)
      return {
        page,
        problems,
        violations: () => violationsOf(page),
        shot: async (name) => {
          await page.screenshot({ path: join(SHOTS, `${name}.png`) })
        },
      }
    },
  }
}

function problemsOf(page: Page, host: string): string[] {
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    // What could not be fetched is told by the page itself.
    const isFetch = message.text().startsWith('Failed to load resource')
    const isSocket = message.text().includes('WebSocket connection')
    if (message.type() === 'error' && !isFetch && !isSocket) problems.push(message.text())
  })
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.host !== host) problems.push(`asked ${url.href}`)
  })
  return problems
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly help: string
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
  }[]
}

async function violationsOf(page: Page): Promise<string[]> {
  // Not as an element of the page, which its policy forbids.
  await page.evaluate(AXE)
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const results = await page.evaluate<AxeResults, string[]>(
    (only) =>
      (globalThis as unknown as { axe: { run(options: object): Promise<never> } }).axe.run({
        runOnly: { type: 'tag', values: only },
        resultTypes: ['violations'],
      }),
    tags,
  )
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} (${help}): ${html} ${failureSummary ?? ''}`),
  )
}
