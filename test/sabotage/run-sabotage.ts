import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Edit, edited, editedEnvironment } from '../support/sabotage.ts'
import type { Sabotage } from './sabotages.ts'

const ROOT = join(import.meta.dirname, '../..')
const CHECK_MS_MAX = 180_000

/** Whether the check went red by the very test that it names; green is a check that sleeps. */
export type Verdict = 'red' | 'green' | 'another test' | 'no such test' | 'already red'

export interface Outcome {
  readonly name: string
  readonly check: string
  readonly verdict: Verdict
  readonly output: string
}

/** @throws Error naming the file where a text that is to be changed does not stand there once. */
export function assertEditable({ edits }: Sabotage): void {
  for (const [file, own] of Map.groupBy(edits, (edit) => edit.file)) {
    edited(readFileSync(join(ROOT, file), 'utf8'), own)
  }
}

interface CheckResult {
  /** Names of the tests that passed, and of those that failed. */
  readonly passed: readonly string[]
  readonly failed: readonly string[]
  readonly output: string
}

function runCheck(check: Sabotage['check'], edits: readonly Edit[]): Promise<CheckResult> {
  const pattern = check.test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const args = ['--test-reporter=tap', `--test-name-pattern=${pattern}`, join(ROOT, check.file)]
  const env: NodeJS.ProcessEnv = { ...process.env, ...editedEnvironment(edits) }
  // A runner above us would want its children's results in a form of its own.
  delete env['NODE_TEST_CONTEXT']
  return new Promise((resolve) => {
    const options = { env, timeout: CHECK_MS_MAX, maxBuffer: 256 * 1024 * 1024 }
    execFile(process.execPath, args, options, (_error, stdout, stderr) => {
      const named = (mark: string) =>
        [...stdout.matchAll(new RegExp(`^ *${mark} \\d+ - (.*)$`, 'gm'))].map((m) => m[1]!)
      resolve({ passed: named('ok'), failed: named('not ok'), output: stdout + stderr })
    })
  })
}

const healthy = new Map<string, Promise<CheckResult>>()

/** Makes the mistake, and asks whether its check finds it. @throws as `assertEditable` does. */
export async function runSabotage(sabotage: Sabotage): Promise<Outcome> {
  assertEditable(sabotage)
  const { name, check, edits } = sabotage
  const key = `${check.file}: ${check.test}`
  // A check that is red without the mistake says nothing about it.
  const before = healthy.get(key) ?? runCheck(check, [])
  healthy.set(key, before)
  const { failed: failedBefore, passed: passedBefore, output } = await before
  const of = (names: readonly string[]) => names.filter((test) => test.startsWith(check.test))
  const answer = (verdict: Verdict, text: string) => ({ name, check: key, verdict, output: text })
  if (failedBefore.length > 0) return answer('already red', output)
  if (of(passedBefore).length === 0) return answer('no such test', output)
  const after = await runCheck(check, edits)
  if (of(after.failed).length > 0) return answer('red', after.output)
  return answer(after.failed.length > 0 ? 'another test' : 'green', after.output)
}
