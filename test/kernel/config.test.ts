import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { SETTINGS, readConfig, type Setting } from '../../src/kernel/config.ts'
import { hasCode } from '../../src/kernel/errors.ts'

const ROOT = dirname(dirname(import.meta.dirname))
const settings: readonly (readonly [string, Setting<unknown>])[] = Object.entries(SETTINGS)

test('an empty environment gives the defaults', () => {
  const config = readConfig({})
  assert.equal(config.mqttPort, 1883)
  assert.equal(config.partitions, 12)
  assert.equal(config.retentionBytes, 268_435_456)
  assert.equal(config.registeredOnly, false)
  assert.equal(config.topicPrefix, '')
  assert.equal(config.kafkaBrokers, undefined)
  assert.equal(config.maxAgeDays, undefined)
})

test('a setting that is empty is one that is not set', () => {
  const config = readConfig({ PARTITIONS: '', KAFKA_BROKERS: '' })
  assert.equal(config.partitions, 12)
  assert.equal(config.kafkaBrokers, undefined)
})

test('files lie in the checkout by default, and where one stands when they are given', () => {
  assert.equal(readConfig({}).metersFile, join(ROOT, 'config/meters.json'))
  assert.equal(readConfig({}).credentialsFile, undefined)
  const given = readConfig({ METERS_FILE: 'mine.json', METERLOOM_DATA: '/data' })
  assert.equal(given.metersFile, resolve('mine.json'))
  assert.equal(given.dataDir, '/data')
})

describe('a value that cannot be is refused by name', () => {
  const refused: readonly [env: string, value: string][] = [
    ['MQTT_PORT', '0'],
    ['MQTT_PORT', '65536'],
    ['MQTT_PORT', '1883.5'],
    ['MQTT_PORT', 'mqtt'],
    ['MQTT_PORT', ' '],
    ['PARTITIONS', '0'],
    ['LOG_EPOCH', '512'],
    ['RETENTION_BYTES', '-2'],
    ['REGISTERED_ONLY', 'yes'],
    ['API_TENANT', 'a/b'],
  ]
  for (const [env, value] of refused) {
    test(`${env}='${value}'`, () => {
      assert.throws(
        () => readConfig({ [env]: value }),
        (error) => {
          assert.ok(hasCode(error, 'config.badSetting'))
          assert.ok(error.message.startsWith(`${env} is '${value}', but must be `), error.message)
          return true
        },
      )
    })
  }
})

test('every setting has a name of its own, a meaning, and an example that is taken', () => {
  const names = settings.map(([, { env }]) => env)
  assert.equal(new Set(names).size, names.length)
  for (const [name, { env, description, example }] of settings) {
    assert.match(env, /^[A-Z][A-Z0-9_]*$/)
    assert.match(description, /^\S.*[^.\s]$/u, `${env}: a sentence without its full stop`)
    const given: Readonly<Record<string, unknown>> = readConfig({ [env]: example })
    const preset: Readonly<Record<string, unknown>> = readConfig({})
    assert.notDeepEqual(given[name], preset[name], `${env}: the example is the default`)
  }
})

test("the README's table is that of the settings", () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const rows = settings.map(([, { env, default: preset, description }]) => {
    return `| \`${env}\` | ${preset ? `\`${preset}\`` : ''} | ${description} |`
  })
  const table = ['| setting | default | meaning |', '|---|---|---|', ...rows].join('\n')
  const shown = /<!-- settings -->\n+((?:\|.*\n)+)/.exec(readme)?.[1]?.trimEnd()
  assert.equal(shown, table, `README.md should hold:\n${table}\n`)
})
