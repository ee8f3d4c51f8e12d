import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import test from 'node:test'
import { type Edit, edited, editedEnvironment } from '../support/sabotage.ts'

const LIMITS = join(import.meta.dirname, '../../src/kernel/limits.ts')

function sessionMsWith(edits: readonly Edit[]): Promise<{ code: number; output: string }> {
  const text = `import(${JSON.stringify(pathToFileURL(LIMITS).href)})
    .then((m) => console.log(m.LIMITS.logSessionMs))`
  const env = { ...process.env, ...editedEnvironment(edits) }
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', text], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr })
    })
  })
}

test('a process runs the source as it was edited', async () => {
  const edit = { file: 'src/kernel/limits.ts', find: 'logSessionMs: 15_000', replace: '' }
  const { output } = await sessionMsWith([{ ...edit, replace: 'logSessionMs: 7' }])
  assert.equal(output, '7\n')
})

test('an edit whose text is not there once, ends the process with its name', async () => {
  const gone = { file: 'src/kernel/limits.ts', find: 'logSessionMs: 7', replace: '' }
  const { code, output } = await sessionMsWith([gone])
  assert.equal(code, 1)
  assert.match(output, /src\/kernel\/limits\.ts holds 0 times, and not once, the text\n/)
  assert.throws(() => edited('a a', [{ file: 'x.ts', find: 'a', replace: 'b' }]), /holds 2 times/)
})
