import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import avsc from 'avsc'
import { RECORD_NAMES, SCHEMA_IDS, SCHEMA_VERSION_IDS } from '../../src/schemas/ids.ts'
import { schemaText, schemaVersions, subjectOf } from '../../src/schemas/texts.ts'
import { topicNames } from '../../src/log/topics.ts'
import { EXAMPLES } from './samples.ts'

// A schema that is on the log stays readable for ever: these tests are what holds a change to that.

const FOLDER = fileURLToPath(new URL('../../schemas/', import.meta.url))
const typeOf = (text: string) => avsc.Type.forSchema(JSON.parse(text) as avsc.Schema)

test('every schema is a record with an id, and every id has its file', () => {
  const files = globSync('**/*.*', { cwd: FOLDER })
  const wanted = RECORD_NAMES.flatMap((name) => [
    `${name}.avsc`,
    ...SCHEMA_VERSION_IDS[name].map((_, index) => `versions/${name}/${index + 1}.avsc`),
  ])
  assert.deepEqual(files.sort(), wanted.sort())
})

test('no id is used twice, and the fixed ones are what they were', () => {
  const ids = Object.values(SCHEMA_VERSION_IDS).flat()
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual([SCHEMA_IDS.reading, SCHEMA_IDS['bench-window']], [1, 2])
})

for (const name of RECORD_NAMES) {
  test(`the current ${name} is its newest version`, () => {
    assert.equal(schemaText(name), schemaVersions(name).at(-1)?.text)
  })

  test(`each version of ${name} reads what each older one wrote`, () => {
    const versions = schemaVersions(name).map((version) => ({
      ...version,
      type: typeOf(version.text),
    }))
    for (const reader of versions) {
      for (const writer of versions.filter(({ version }) => version <= reader.version)) {
        // The resolver throws where a field of the reader is neither written nor has a default.
        const resolver = reader.type.createResolver(writer.type)
        const written = writer.type.toBuffer(writer.type.clone(EXAMPLES[name]))
        const read: unknown = reader.type.fromBuffer(written, resolver)
        assert.ok(reader.type.isValid(read), `${writer.version} read by ${reader.version}`)
      }
    }
  })
}

test('a version that is not backward compatible would be found', () => {
  const older = typeOf(schemaText('control'))
  const schema = JSON.parse(schemaText('control')) as { fields: object[] }
  schema.fields.push({ name: 'added', type: 'string' })
  assert.throws(() => typeOf(JSON.stringify(schema)).createResolver(older), /added/)
})

test('subjects are named after the topics', () => {
  const topics = topicNames('staging-')
  assert.equal(subjectOf('reading', 'staging-'), `${topics.readings}-value`)
  assert.equal(subjectOf('window', 'staging-'), `${topics.windows}-value`)
  assert.equal(subjectOf('anomaly', 'staging-'), `${topics.anomalies}-value`)
  assert.equal(subjectOf('dead-letter', 'staging-'), `${topics.deadLetters}-value`)
  const names = RECORD_NAMES.map((name) => subjectOf(name))
  assert.equal(new Set(names).size, names.length)
})
