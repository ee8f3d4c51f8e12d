import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import * as rules from './tidy/rules.ts'
import { parseSource, readSources } from './tidy/source.ts'

// Style is a test: what docs/design.md and the limits below say of the sources holds for each of
// them.

/** docs/design.md, section 1: imports run up this list and never down it. */
const ORDER = [
  'src/kernel',
  'src/ops',
  'src/registry',
  'src/schemas',
  'src/log',
  'src/bridge',
  'src/analytics',
  'src/engine',
  'topologies',
  'src/sinks',
  'src/api',
  'src/web',
  'src/tools',
  'src/roles',
  'infra',
  'src/cli.ts src/cli src/main.ts',
  'test',
]

const KAFKA_CLIENTS = ['kafkajs', '@platformatic/kafka']
const MAY_IMPORT_KAFKA: rules.Exceptions = {
  'src/log': 'its port hides them from everyone else',
  'test/log': 'tests the adapters against the clients themselves',
  'test/bench': 'measures the clients as the ceiling of ours',
}

const MAY_USE_ENVIRONMENT: rules.Exceptions = {
  'src/cli.ts': 'hands it to readConfig, once',
  'src/main.ts': 'hands it to readConfig, once',
  infra: 'finds programs on the PATH, and makes the environment of children',
  test: 'the runner puts the addresses of its servers there',
}

const MAY_BE_LONG: rules.Exceptions = {
  'test/oracle/oracle.ts': 'the law of the rows on one page, to be read beside the design',
}

/** Started by a person, by npm, by node's test runner or by a page rather than imported. */
const ENTRIES = [
  'src/cli.ts',
  'src/main.ts',
  'infra/run.js',
  'src/web/main.tsx',
  'src/web/public/*.js',
  'src/web/vite.config.ts',
  'infra/bin.js',
  'test/run.ts',
  'test/simulation/run.ts',
  'test/**/*.test.ts',
  'test/bench/*.ts',
]

function none(problems: readonly string[]): void {
  assert.ok(problems.length === 0, `\n${problems.join('\n')}\n`)
}

const ROOT = dirname(import.meta.dirname)
const sources = readSources(ROOT, ['src', 'topologies', 'infra', 'test'])

describe('the sources', () => {
  test('import up the list of the design, never down it', () => {
    none(rules.importsDown(sources, ORDER))
  })
  test('import in no circle', () => {
    none(rules.circles(sources))
  })
  test('leave Kafka clients to src/log', () => {
    none(rules.importsOnlyFrom(sources, KAFKA_CLIENTS, MAY_IMPORT_KAFKA))
  })
  test('leave the environment to those who hand it to readConfig', () => {
    none(rules.environmentRead(sources, MAY_USE_ENVIRONMENT))
  })
  test(`have at most ${rules.COLUMNS_MAX} columns`, () => {
    none(rules.longLines(sources))
  })
  test(`have at most ${rules.FILE_LINES_MAX} lines`, () => {
    none(rules.longFiles(sources, MAY_BE_LONG))
  })
  test(`have functions of at most ${rules.FUNCTION_LINES_MAX} lines`, () => {
    none(rules.longFunctions(sources))
  })
  test('are all imported or started by somebody', () => {
    none(rules.deadFiles(sources, ENTRIES))
  })
  test('are finished', () => {
    none(rules.unfinished(sources))
  })
  test('leave no test out', () => {
    none(rules.skippedTests(sources))
  })
  test('need each exception that is made for them', () => {
    for (const path of Object.keys(MAY_BE_LONG)) {
      const long = sources.filter((source) => source.path === path)
      assert.notDeepEqual(rules.longFiles(long, {}), [], `${path} is short enough by now`)
    }
  })
})

test('the documents name files that are there', () => {
  const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })].map((path) => ({
    path,
    text: readFileSync(join(ROOT, path), 'utf8'),
  }))
  const exists = (path: string) => existsSync(join(ROOT, path))
  none(rules.brokenLinks(pages, exists))
})

// The rules themselves: each finds the one thing that is wrong in a sample.

test('the rules of imports find what is wrong', () => {
  const kernel = parseSource(
    'src/kernel/a.ts',
    "import { b } from '../log/b.ts'\nimport 'kafkajs'\n",
  )
  const log = parseSource('src/log/b.ts', "export type A = import('../kernel/a.ts').A\n")
  const lost = parseSource('elsewhere/c.ts', '')
  assert.deepEqual(rules.importsDown([kernel, log, lost], ORDER), [
    'src/kernel/a.ts:1 imports src/log/b.ts, which is further down the list',
    'elsewhere/c.ts:1 lies in no room of the order',
  ])
  assert.deepEqual(rules.circles([kernel, log]), [
    'src/kernel/a.ts:1 circle: src/kernel/a.ts -> src/log/b.ts -> src/kernel/a.ts',
  ])
  assert.deepEqual(rules.importsOnlyFrom([kernel], KAFKA_CLIENTS, MAY_IMPORT_KAFKA), [
    'src/kernel/a.ts:2 imports kafkajs',
  ])
  assert.deepEqual(rules.deadFiles([kernel, log, lost], ['src/kernel/*.ts']), [
    'elsewhere/c.ts:1 is imported by nobody',
  ])
})

test('a file that is named by a string or a template is not dead', () => {
  const a = parseSource('src/main.ts', 'await import(`./roles/${role}.ts`); spawn("src/child.ts")')
  const role = parseSource('src/roles/x.ts', '')
  const child = parseSource('src/child.ts', '')
  assert.deepEqual(rules.deadFiles([a, role, child], ['src/main.ts']), [])
})

test('the rules of size find what is wrong', () => {
  const wide = parseSource(
    'a.ts',
    `// ${'x'.repeat(rules.COLUMNS_MAX - 3)}\n// ${'x'.repeat(98)}\n`,
  )
  assert.deepEqual(rules.longLines([wide]), ['a.ts:2 has 101 columns'])
  const body = '  step()\n'.repeat(rules.FUNCTION_LINES_MAX - 1)
  const long = parseSource('a.ts', `function f() {\n${body}}\ndescribe('x', () => {\n${body}})\n`)
  assert.deepEqual(rules.longFunctions([long]), ['a.ts:1 has a function of 71 lines'])
  const tall = parseSource('a.ts', '//\n'.repeat(rules.FILE_LINES_MAX + 1))
  assert.deepEqual(rules.longFiles([tall], {}), ['a.ts:1 has 301 lines'])
  assert.deepEqual(rules.longFiles([tall], { 'a.ts': 'for a reason' }), [])
})

test('the rules of contents find what is wrong', () => {
  const env = parseSource('src/a.ts', 'process.env.X\nconst { env } = process\n')
  assert.deepEqual(rules.environmentRead([env], MAY_USE_ENVIRONMENT), [
    'src/a.ts:1 uses process.env',
    'src/a.ts:2 uses process.env',
  ])
  const word = ['TO', 'DO'].join('')
  const left = parseSource('a.ts', `// ${word}: later\n// mktemp XXXXXX\n`)
  assert.deepEqual(rules.unfinished([left]), [`a.ts:1 // ${word}: later`])
  const marks = parseSource(
    'a.ts',
    [
      "test.only('a')",
      "t.skip('no server')",
      "test('b', { skip: true }, f)",
      't.skip()',
      'log({ skip: true })',
    ].join('\n'),
  )
  assert.deepEqual(rules.skippedTests([marks]), [
    'a.ts:1 test.only',
    'a.ts:3 skip: true',
    'a.ts:4 t.skip',
  ])
  const page = {
    path: 'docs/x.md',
    text: '[a](y.md) [b](https://x) [c](../README.md#d) `src/no.ts`',
  }
  assert.deepEqual(
    rules.brokenLinks([page], (path) => path === 'README.md'),
    [
      'docs/x.md:1 names docs/y.md, which is not there',
      'docs/x.md:1 names src/no.ts, which is not there',
    ],
  )
})
