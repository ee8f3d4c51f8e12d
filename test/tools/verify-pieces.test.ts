import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CsvRows } from '../../src/tools/verify/csv-rows.ts'
import { IdentityHash } from '../../src/tools/verify/identity-hash.ts'
import { IdentitySet, type Share } from '../../src/tools/verify/identity-set.ts'

const names = fc.string({
  unit: fc.constantFrom('a', 'é', '☃', '😀', '"', '\\', ',', ' ', '\n', '\t'),
})

/** As QuestDB writes it. */
function csvOf(rows: readonly (readonly [number, string, string])[]): Buffer {
  const escapes: Record<string, string> = { '\\': '\\\\', '"': '""', '\n': '\\n', '\t': '\\t' }
  const quoted = (text: string) =>
    text === '' ? '' : `"${text.replace(/[\\"\n\t]/g, (unit) => escapes[unit]!)}"`
  const lines = rows.map(([at, a, b]) => `${at},${quoted(a)},${quoted(b)}\r\n`)
  return Buffer.from(`"at","a","b"\r\n${lines.join('')}`)
}

test('rows of CSV are read, wherever the pieces are cut', () => {
  const row = fc.tuple(fc.maxSafeInteger(), names, names)
  fc.assert(
    fc.property(fc.array(row), fc.array(fc.nat({ max: 500 })), (rows, cuts) => {
      const csv = csvOf(rows)
      const found: [number, string, string][] = []
      const reader = new CsvRows(3, ({ at, bytes, starts, ends }) => {
        const text = (k: number) => bytes.toString('utf8', starts[k], ends[k])
        found.push([at, text(0), text(1)])
      })
      const places = [...new Set([0, ...cuts.filter((c) => c < csv.length), csv.length])]
      places.sort((a, b) => a - b)
      for (let i = 1; i < places.length; i++) reader.push(csv.subarray(places[i - 1], places[i]))
      reader.end()
      assert.deepEqual(found, rows)
    }),
    { numRuns: 300 },
  )
})

test('a CSV that breaks off, or has a row of another form, is an error', () => {
  for (const text of [
    '"at","a"\n1,"x',
    '"at","a"\n1\n',
    '"at","a"\n1,"x","y"\n',
    '"at","a"\n1,"x"\ntimeout\n',
  ]) {
    assert.throws(
      () => {
        const reader = new CsvRows(2, () => undefined)
        reader.push(Buffer.from(text))
        reader.end()
      },
      { code: 'verify.brokenExport' },
      text,
    )
  }
})

function hashOf(texts: readonly string[], at: number): string {
  const hash = new IdentityHash()
  hash.begin()
  for (const text of texts) {
    const bytes = Buffer.from(text)
    hash.text(bytes, 0, bytes.length)
  }
  hash.end(at)
  return `${hash.high}:${hash.low}`
}

test('identities that differ in one place have different hashes', () => {
  const at = 1_764_547_200_000_000
  const seen = new Map<string, string>()
  const add = (texts: string[], micros: number) => {
    const hash = hashOf(texts, micros)
    const words = JSON.stringify([texts, micros])
    assert.equal(seen.get(hash), undefined, `${words} and ${String(seen.get(hash))}`)
    seen.set(hash, words)
  }
  for (let meter = 0; meter < 300; meter++) {
    for (let minute = 0; minute < 300; minute++) {
      add(['demo', `m-${meter}`, 'power_w'], at + minute * 60_000_000)
    }
  }
  // Lengths keep texts apart, and the upper half of the time counts.
  add(['demo', 'm', '-1power_w'], at)
  add(['dem', 'om-1', 'power_w'], at)
  add(['demo', 'm-1', 'power_w\0'], at)
  add(['demo', 'm-1', 'power_w'], at + 2 ** 32)
  add(['demo', 'm-1', 'power_w'], -at)
})

test('hashes are spread evenly: no bit stands still, and the halves are no twins', () => {
  const ones = new Float64Array(64)
  let twins = 0
  const count = 20_000
  for (let i = 0; i < count; i++) {
    const [high, low] = hashOf(['demo', `m-${i % 100}`, 'p'], 1e15 + i * 1e6)
      .split(':')
      .map(Number)
    for (let bit = 0; bit < 32; bit++) {
      ones[bit]! += (high! >>> bit) & 1
      ones[32 + bit]! += (low! >>> bit) & 1
    }
    if (((high! ^ low!) & 0xffff) === 0) twins++
  }
  for (const [bit, n] of ones.entries()) {
    // Five standard deviations of a fair coin.
    assert.ok(Math.abs(n - count / 2) < (5 * Math.sqrt(count)) / 2, `bit ${bit}: ${n}`)
  }
  assert.ok(twins < 10, String(twins))
})

test('a bounded set sees every identity in one pass, with all of its marks', () => {
  const hash = fc.tuple(fc.nat({ max: 0xffff }), fc.nat({ max: 0xffff_ffff }))
  const marked = fc.tuple(hash, fc.constantFrom(1, 2, 4))
  fc.assert(
    fc.property(fc.array(marked, { maxLength: 400 }), (list) => {
      const model = new Map<string, number>()
      for (const [[high, low], marks] of list) {
        const key = `${high}:${low}`
        model.set(key, (model.get(key) ?? 0) | marks)
      }
      const found = new Map<string, number>()
      const shares: Share[] = [{ bits: 0, value: 0 }]
      for (let share = shares.pop(); share !== undefined; share = shares.pop()) {
        const set = new IdentitySet(share, 32)
        for (const [[high, low], marks] of list) set.mark(high, low, marks)
        shares.push(...set.left)
        set.forEach((marks, high, low) => {
          assert.ok(!found.has(`${high}:${low}`), 'in one pass only')
          found.set(`${high}:${low}`, marks)
          assert.equal(set.marksOf(high, low), marks)
        })
      }
      assert.deepEqual(found, model)
    }),
    { numRuns: 100 },
  )
})
