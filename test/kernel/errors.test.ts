import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import {
  MeterloomError,
  declaredErrors,
  errorTable,
  hasCode,
  messageOf,
} from '../../src/kernel/errors.ts'

// The walk over every error table of the project. Tables stand in `errors.ts` of their folder; the
// kernel's settings have theirs beside them.

const ROOT = dirname(dirname(import.meta.dirname))
const files = globSync('{src,infra,topologies}/**/*.ts', { cwd: ROOT })
const tableFiles = files.filter((path) => /\/errors\.ts$|kernel\/config\.ts$/.test(path))
for (const path of tableFiles) await import(join(ROOT, path))
const all = [...declaredErrors()]

/** Stands for any field: whatever is done with it, it appears in the text as `<name>`. */
function anyField(name: string): unknown {
  return new Proxy(() => undefined, {
    get: (_target, key) => {
      if (key === Symbol.toPrimitive || key === 'toString' || key === 'join') {
        return () => `<${name}>`
      }
      if (key === Symbol.iterator) return () => [`<${name}>`][Symbol.iterator]()
      if (key === 'length') return 1
      return anyField(`${name}.${String(key)}`)
    },
    apply: () => anyField(name),
  })
}

test('every table is declared in the errors.ts of its folder', () => {
  const elsewhere = files.filter((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    return /\berrorTable\(/.test(text) && !tableFiles.includes(path)
  })
  assert.deepEqual(elsewhere, [])
})

test('every code has a scope and a name', () => {
  assert.notEqual(all.length, 0)
  for (const [code] of all) assert.match(code, /^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$/)
})

test('every row says who can mend it and whether to try again', () => {
  for (const [code, row] of all) {
    assert.ok(['user', 'external', 'internal'].includes(row.domain), `${code}: ${row.domain}`)
    assert.equal(typeof row.retryable, 'boolean', code)
  }
})

test('every message names what is wrong', () => {
  for (const [code, row] of all) {
    const fields = new Proxy({}, { get: (_target, key) => anyField(String(key)) })
    const text = row.message(fields as never)
    assert.match(text, /<[\w.]+>/, `${code} names no value: ${text}`)
    assert.doesNotMatch(text, /undefined|\[object/, `${code}: ${text}`)
    assert.doesNotMatch(text, /\.$/, `${code} ends in a full stop: ${text}`)
  }
})

test('every row is thrown somewhere', () => {
  const sources = files.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n')
  const unused = all
    .map(([code]) => code)
    .filter((code) => !new RegExp(`Errors\\s*\\.${code.split('.')[1] ?? ''}\\b`).test(sources))
    .filter((code) => !code.startsWith('sample.'))
  assert.deepEqual(unused, [])
})

const sample = errorTable('sample', {
  tooLong: {
    domain: 'user',
    retryable: false,
    message: (f: { name: string; lengthMax: number }) =>
      `'${f.name}' is longer than ${f.lengthMax}: shorten it`,
  },
})

test('an error bears its code, row, fields and cause', () => {
  const cause = new Error('below')
  const error = sample.tooLong({ name: 'abc', lengthMax: 2 }, cause)
  assert.ok(error instanceof MeterloomError)
  assert.equal(error.message, "'abc' is longer than 2: shorten it")
  assert.equal(error.code, 'sample.tooLong')
  assert.equal(error.domain, 'user')
  assert.equal(error.retryable, false)
  assert.deepEqual(error.fields, { name: 'abc', lengthMax: 2 })
  assert.equal(error.cause, cause)
  assert.ok(!('cause' in sample.tooLong({ name: 'a', lengthMax: 0 })))
})

test('a code is declared once', () => {
  const row = { domain: 'user', retryable: false, message: () => 'again' } as const
  assert.throws(() => errorTable('sample', { tooLong: row }), /sample\.tooLong is declared twice/)
})

test('hasCode and messageOf take anything that is thrown', () => {
  const error = sample.tooLong({ name: 'abc', lengthMax: 2 })
  assert.ok(hasCode(error, 'sample.tooLong'))
  assert.ok(!hasCode(error, 'sample.other'))
  assert.ok(!hasCode({ code: 'sample.tooLong' }, 'sample.tooLong'))
  assert.equal(messageOf(new Error('a')), 'a')
  assert.equal(messageOf('b'), 'b')
  assert.equal(messageOf(undefined), 'undefined')
})
