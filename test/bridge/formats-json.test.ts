import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { JsonOutline } from '../../src/bridge/formats/json-outline.ts'
import { JsonPointer } from '../../src/bridge/formats/json-pointer.ts'
import { parseJson } from '../../src/bridge/formats/json-text.ts'

describe('JSON as bytes', () => {
  test('is read as JSON.parse reads it, and has no key twice that it has not', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.integer({ min: 0, max: 3 }), (text, blanks) => {
        const spaced = JSON.stringify(JSON.parse(text), null, blanks)
        const { value, duplicates } = parseJson(Buffer.from(spaced))
        // JSON.parse of both: what stands in text is compared, -0 and __proto__ included.
        assert.deepEqual(value, JSON.parse(spaced))
        assert.equal(duplicates, undefined)
      }),
    )
  })

  test('a key that stands twice is found wherever it is, by its element', () => {
    const inner = fc.constantFrom(
      '{"k":1,"k":2}',
      '{"k":1,"x":[],"\\u006b":2}',
      '{"a":{"k":1,"k":1}}',
    )
    const good = fc.constantFrom('1', '"k:k"', '{"k":{"k":{"k":1}}}', '[{"k":1},{"k":2}]', '"\\"{"')
    fc.assert(
      fc.property(fc.array(good), inner, fc.array(good), (before, bad, after) => {
        const text = `[ ${[...before, bad, ...after].join(' , ')} ]`
        const { duplicates } = parseJson(Buffer.from(text))
        assert.deepEqual([...(duplicates ?? [])], [[before.length, 'k']])
      }),
    )
  })

  test('the elements of an array are cut out as they stand', () => {
    const element = fc.json({ maxDepth: 2 })
    fc.assert(
      fc.property(fc.array(element), fc.constantFrom('', ' ', '\n\t '), (elements, blank) => {
        const text = `${blank}[${elements.map((e) => `${blank}${e}${blank}`).join()}]${blank}`
        const outline = new JsonOutline(Buffer.from(text))
        for (const [i, e] of elements.entries()) assert.equal(outline.element(i).toString(), e)
      }),
    )
  })
})

describe('JSON pointers', () => {
  const message = {
    params: { 'switch:0': { apower: 1 }, 'switch:12': { apower: 2 }, 'input:0': { apower: 3 } },
    'a/b': { 'm~n': 4 },
    list: [10, 20],
    none: null,
  }
  const found = (text: string) => {
    const seen: unknown[] = []
    new JsonPointer(text).each(message, (value, captures) => seen.push([value, ...captures]))
    return seen
  }
  test('lead where RFC 6901 says', () => {
    assert.deepEqual(found('/params/switch:0/apower'), [[1]])
    assert.deepEqual(found('/a~1b/m~0n'), [[4]])
    assert.deepEqual(found('/list/1'), [[20]])
    assert.deepEqual(found('/none'), [[null]])
  })
  test('with stars lead to all that fits, and keep what fitted', () => {
    assert.deepEqual(found('/params/switch:*/apower'), [
      [1, '0'],
      [2, '12'],
    ])
    assert.deepEqual(found('/params/*:*/apower').length, 3)
    assert.deepEqual(found('/list/*'), [
      [10, '0'],
      [20, '1'],
    ])
  })
  test('lead nowhere without an error', () => {
    for (const text of [
      '/x',
      '/none/x',
      '/list/2',
      '/params/switch:0/apower/x',
      '/x*/y',
      '/__proto__/x',
    ]) {
      assert.deepEqual(found(text), [], text)
    }
  })
  test('have to begin with a slash, and tilde with 0 or 1', () => {
    for (const text of ['', 'a', 'a/b', '/a~2', '/~']) {
      assert.throws(() => new JsonPointer(text), TypeError, text)
    }
  })
})
