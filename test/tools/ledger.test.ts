import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { LIMITS } from '../../src/kernel/limits.ts'
import { type LedgerLine, openLedger, payloadName, readLedger } from '../../src/tools/ledger.ts'

function ledgerPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-ledger-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'ledger.jsonl')
}

async function linesOf(path: string): Promise<LedgerLine[]> {
  const lines: LedgerLine[] = []
  for await (const line of readLedger(path)) lines.push(line)
  return lines
}

const at = 1_764_547_200_000_001
const reading = { tenant: 'demo', meterId: 'Zähler, 1', at, channels: ['a'] }

test('what was acknowledged is read back, poison too', async (t) => {
  const path = ledgerPath(t)
  const payload = Buffer.from('{"at":"never"')
  const ledger = openLedger(path)
  ledger.acknowledged([reading, { ...reading, at: 2 }], payload)
  ledger.acknowledged([reading])
  ledger.acknowledged([], payload)
  ledger.close()
  assert.deepEqual(await linesOf(path), [
    { reading, payload: payloadName(payload) },
    { reading: { ...reading, at: 2 }, payload: payloadName(payload) },
    { reading, payload: undefined },
    { reading: undefined, payload: payloadName(payload) },
  ])
})

test('a line that a kill cut off is not read, and goes when the ledger goes on', async (t) => {
  const path = ledgerPath(t)
  const first = openLedger(path)
  first.acknowledged([reading])
  first.close()
  // Longer than one step of the search for the last newline.
  appendFileSync(path, `{"tenant":"${'x'.repeat(200_000)}`)
  assert.equal((await linesOf(path)).length, 1)

  const second = openLedger(path)
  second.acknowledged([{ ...reading, at: 3 }])
  second.close()
  assert.deepEqual(
    (await linesOf(path)).map((line) => line.reading?.at),
    [reading.at, 3],
  )
})

test('lines are written in large pieces, and at the latest by flush', (t) => {
  const path = ledgerPath(t)
  const ledger = openLedger(path)
  t.after(() => ledger.close())
  ledger.acknowledged([reading])
  assert.equal(readFileSync(path).length, 0)
  ledger.flush()
  const lineBytes = readFileSync(path).length
  assert.ok(lineBytes > 0)
  const count = Math.ceil((1.1 * LIMITS.ledgerPendingChars) / lineBytes)
  for (let i = 0; i < count; i++) ledger.acknowledged([reading])
  assert.ok(readFileSync(path).length > LIMITS.ledgerPendingChars / 2)
})

test('a line that is none names file, line and text', async (t) => {
  const path = ledgerPath(t)
  for (const bad of [
    'nothing',
    '{}',
    '{"tenant":"t","meterId":"m","at":0.5,"channels":[]}',
    'null',
  ]) {
    writeFileSync(path, `{"payload":"00"}\n${bad}\n`)
    await assert.rejects(linesOf(path), (error: Error) => {
      assert.match(error.message, /ledger\.jsonl:2 is no line of a ledger/)
      assert.ok(error.message.includes(bad))
      return true
    })
  }
  await assert.rejects(linesOf(`${path}.none`), { code: 'verify.noLedger' })
})
