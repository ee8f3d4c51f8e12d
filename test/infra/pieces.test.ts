import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missingPackages, productNode } from '../../infra/setup/packages.js'
import { needsOf, pathWith } from '../../infra/setup/setup.js'
import { isStamped, stampOf, withLock, writeStamp } from '../../infra/setup/stamp.js'
import { privilegeOf } from '../../infra/setup/system.js'
import { NODE_MIN, NODE_PINNED, isAtLeast, javaMajor } from '../../infra/setup/versions.js'
import { makeSandbox } from './sandbox.ts'

// The decisions of set-up, one by one, without any program being run.

test('versions are compared number by number', () => {
  assert.ok(isAtLeast('v24.10.0', '24.6.0'))
  assert.ok(isAtLeast('24.6.0', '24.6.0'))
  assert.ok(isAtLeast('v26.0.0-nightly2026', '24.6.0'))
  assert.ok(!isAtLeast('v20.20.2', '24.6.0'))
  assert.ok(!isAtLeast('v24.5.9', '24.6.0'))
  assert.ok(isAtLeast(NODE_PINNED, NODE_MIN))
})

test('the version of Java is read from what it says', () => {
  assert.equal(javaMajor('openjdk version "17.0.15" 2025-04-15\nOpenJDK ...'), 17)
  assert.equal(javaMajor('openjdk version "21" 2023-09-19'), 21)
  assert.equal(javaMajor('java version "1.8.0_392"'), 8)
  assert.equal(javaMajor('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "25-ea"'), 25)
  assert.equal(javaMajor('command not found'), undefined)
})

test('packages are installed as root, by sudo, or not at all', () => {
  const facts = { uid: 1000, sudo: true, sudoIsFree: false, terminal: false }
  assert.equal(privilegeOf({ ...facts, uid: 0, sudo: false }), 'root')
  assert.equal(privilegeOf({ ...facts, sudoIsFree: true }), 'sudo')
  assert.equal(privilegeOf({ ...facts, terminal: true }), 'sudo-asks')
  assert.equal(privilegeOf(facts), 'none')
  assert.equal(privilegeOf({ ...facts, sudo: false, terminal: true }), 'none')
  assert.equal(privilegeOf({ ...facts, uid: undefined, sudo: false }), 'none')
})

test('a command gets what it needs, and no more', () => {
  const given = { KAFKA_BROKERS: 'kafka:9092', QUESTDB_URL: 'http://questdb:9000' }
  const nothing = { servers: false, dashboard: false, tests: false }
  const start = { servers: true, dashboard: true, tests: false }
  assert.deepEqual(needsOf('start', [], {}), start)
  assert.deepEqual(needsOf('cli', ['start', '--no-sample'], {}), start)
  assert.deepEqual(needsOf('bench', ['bridge'], {}), { ...start, dashboard: false })
  assert.deepEqual(needsOf('start', [], given), { ...start, servers: false })
  const noQuestdb = { ...given, QUESTDB_URL: '' }
  assert.deepEqual(needsOf('start', [], noQuestdb), start)
  assert.deepEqual(needsOf('start', ['--help'], {}), nothing)
  assert.deepEqual(needsOf('cli', ['status'], {}), nothing)
  assert.deepEqual(needsOf('check', [], {}), nothing)
  // Tests start and kill servers of their own, whatever addresses are given.
  assert.deepEqual(needsOf('test', [], given), { servers: true, dashboard: true, tests: true })
})

test("what is absent or of another version is missing, but for other systems' packages", () => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0' },
    'node_modules/c': { version: '3.0.0', optional: true },
    'node_modules/d': { version: '4.0.0', optional: true },
  }
  const there = { 'node_modules/a': { version: '1.0.0' } }
  assert.deepEqual(missingPackages(wanted, there), ['node_modules/b'])
  const old = { ...there, 'node_modules/b': { version: '1.9.0' } }
  assert.deepEqual(missingPackages(wanted, old), ['node_modules/b'])
  const oldOptional = {
    ...there,
    'node_modules/b': { version: '2.0.0' },
    'node_modules/d': { version: '3.9.0' },
  }
  assert.deepEqual(missingPackages(wanted, oldOptional), ['node_modules/d'])
  assert.deepEqual(missingPackages(wanted, undefined), ['node_modules/a', 'node_modules/b'])
})

test('the running Node is taken where it is new enough, else the installed one', (t) => {
  const { folder, write, program } = makeSandbox(t)
  const old = { version: 'v20.19.0', execPath: process.execPath }
  assert.equal(productNode(folder, { ...old, version: 'v25.1.0' }), process.execPath)
  assert.equal(productNode(folder, old), undefined)
  // npm ci has removed the Node that runs this.
  assert.equal(productNode(folder, { version: 'v24.9.0', execPath: '/gone/node' }), undefined)
  write('node_modules/node/package.json', '{ "version": "24.21.0" }')
  assert.equal(productNode(folder, old), undefined, 'without its program it is half installed')
  program('../node_modules/.bin/node', 'exit 0')
  assert.equal(productNode(folder, old), join(folder, 'node_modules/.bin/node'))
  write('node_modules/node/package.json', '{ "version": "22.1.0" }')
  assert.equal(productNode(folder, old), undefined)
})

test('a stamp is that of all its parts, and of where they end', (t) => {
  assert.notEqual(stampOf(['ab', 'c']), stampOf(['a', 'bc']))
  assert.equal(stampOf([Buffer.from('ab')]), stampOf(['ab']))
  const file = join(makeSandbox(t).folder, 'deep/x.stamp')
  assert.ok(!isStamped(file, stampOf(['1'])))
  writeStamp(file, stampOf(['1']))
  assert.ok(isStamped(file, stampOf(['1'])))
  assert.ok(!isStamped(file, stampOf(['2'])))
})

test('two set-ups take turns', async (t) => {
  const lock = join(makeSandbox(t).folder, 'setup.lock')
  const order: string[] = []
  const turn = (name: string) =>
    withLock(
      lock,
      (pid) => order.push(`waits for ${pid === process.pid ? 'the first' : pid}`),
      async () => {
        order.push(`${name} in`)
        await new Promise((resolve) => setTimeout(resolve, 50))
        order.push(`${name} out`)
      },
    )
  await Promise.all([turn('a'), turn('b')])
  assert.deepEqual(order, ['a in', 'waits for the first', 'a out', 'b in', 'b out'])
  assert.ok(!existsSync(lock))
})

test('the lock of a set-up that was killed is taken over', async (t) => {
  const lock = join(makeSandbox(t).folder, 'setup.lock')
  for (const left of ['4194999', '']) {
    writeFileSync(lock, left)
    const waited: number[] = []
    await withLock(
      lock,
      (pid) => waited.push(pid),
      () => Promise.resolve(),
    )
    assert.deepEqual(waited, [])
  }
})

test('a lock is let go of when the work fails', async (t) => {
  const lock = join(makeSandbox(t).folder, 'setup.lock')
  const work = withLock(
    lock,
    () => undefined,
    () => Promise.reject(new Error('no')),
  )
  await assert.rejects(work, /no/)
  assert.ok(!existsSync(lock))
})

test('the PATH gets the right programs first and those of servers last, each once', () => {
  assert.equal(
    pathWith(['/jdk/bin', '/bin'], '/usr/bin::/bin:/usr/sbin'),
    '/jdk/bin:/bin:/usr/bin:/usr/sbin:/usr/local/sbin',
  )
})
