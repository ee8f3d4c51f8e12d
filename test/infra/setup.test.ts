import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SetupError } from '../../infra/setup/error.js'
import { fetchJars, jarsNeeded } from '../../infra/setup/jars.js'
import { setUp } from '../../infra/setup/setup.js'
import { findJava, installSystemPackages } from '../../infra/setup/system.js'
import { makeOut, makeSandbox } from './sandbox.ts'

// Set-up as a whole on a small checkout, with shell scripts in the place of npm, apt-get, Maven,
// Java.

const LOCK = JSON.stringify({ packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } })
/** What npm does where all goes well, as far as set-up looks. */
const NPM_CI =
  'mkdir -p node_modules/a; cp package-lock.json node_modules/.package-lock.json; echo ran >>calls'

function makeCheckout(t: TestContext) {
  const sandbox = makeSandbox(t)
  sandbox.write('package-lock.json', LOCK)
  sandbox.write('infra/servers/pom.xml', '<project/>')
  return sandbox
}

const nothingNeeded = { servers: false, dashboard: false, tests: false }

async function failureOf(work: Promise<unknown>): Promise<SetupError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof SetupError, String(error))
  return error
}

test('packages are installed once, and then set-up has nothing to say', async (t) => {
  const { folder, program } = makeCheckout(t)
  program('npm', NPM_CI)
  const first = makeOut(false)
  const ready = await setUp(folder, nothingNeeded, first)
  assert.equal(ready.node, process.execPath)
  assert.match(first.text(), /^set-up: npm packages \.\.\.\nset-up: npm packages: 1 packages, /)
  const second = makeOut(false)
  await setUp(folder, nothingNeeded, second)
  assert.equal(second.text(), '')
  assert.equal(readFileSync(join(folder, 'calls'), 'utf8'), 'ran\n')
})

test('another lock file is installed anew', async (t) => {
  const { folder, program, write } = makeCheckout(t)
  program('npm', NPM_CI)
  await setUp(folder, nothingNeeded, makeOut(false))
  write('package-lock.json', LOCK.replace('1.0.0', '1.0.1'))
  await setUp(folder, nothingNeeded, makeOut(false))
  assert.equal(readFileSync(join(folder, 'calls'), 'utf8'), 'ran\nran\n')
})

test('two set-ups at once install once', async (t) => {
  const { folder, program } = makeCheckout(t)
  program('npm', `sleep 0.2; ${NPM_CI}`)
  await Promise.all([1, 2].map(() => setUp(folder, nothingNeeded, makeOut(false))))
  assert.equal(readFileSync(join(folder, 'calls'), 'utf8'), 'ran\n')
})

test('what fails is shown with the last lines of its output and what to do', async (t) => {
  const { folder, program } = makeCheckout(t)
  program('npm', 'for i in $(seq 40); do echo line $i; done; echo "npm error network" >&2; exit 7')
  const out = makeOut(false)
  const error = await failureOf(setUp(folder, nothingNeeded, out))
  assert.match(error.what, /npm could not install .* \(exit code 7\)/)
  assert.equal(error.tail.length, 12)
  assert.ok(error.tail.includes('npm error network'))
  assert.match(error.render(), /^set-up: npm could not[^]* {4}line 40\n[^]*start again\.$/)
  assert.match(out.text(), /failed after/)
})

test('Maven fetches the jars, and a run that breaks off leaves what was there', async (t) => {
  const { folder, program, write } = makeCheckout(t)
  const jars = join(folder, 'jars')
  const programs = { java: '/usr/bin/java', maven: join(folder, 'bin/mvn') }
  const outputDirectory = 'for a; do case $a in -DoutputDirectory=*) d=${a#*=};; esac; done'
  program('mvn', `${outputDirectory}; echo jar > "$d/kafka.jar"; echo "Downloaded from x: y.jar"`)
  assert.ok(jarsNeeded(folder, jars))
  const details: string[] = []
  const done = await fetchJars(folder, jars, programs, (text) => details.push(text))
  assert.equal(done, '1 jars')
  assert.deepEqual(details, ['1 jars fetched'])
  assert.ok(!jarsNeeded(folder, jars))

  write('infra/servers/pom.xml', '<project><!-- other jars --></project>')
  assert.ok(jarsNeeded(folder, jars))
  program('mvn', `${outputDirectory}; echo half > "$d/kafka.jar"; exit 1`)
  await failureOf(fetchJars(folder, jars, programs, () => undefined))
  assert.equal(readFileSync(join(jars, 'kafka.jar'), 'utf8'), 'jar\n')
  assert.ok(jarsNeeded(folder, jars))
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('jars')),
    ['jars'],
  )
})

test('jars that are given are taken, and refused where they are none', async (t) => {
  const { folder, program, write } = makeCheckout(t)
  program('npm', NPM_CI)
  program('java', 'echo openjdk version \\"21.0.1\\" >&2')
  process.env['METERLOOM_SERVER_JARS'] = join(folder, 'mine')
  const needs = { ...nothingNeeded, servers: true }
  const error = await failureOf(setUp(folder, needs, makeOut(false)))
  assert.match(error.what, /METERLOOM_SERVER_JARS is '.*mine', which holds no jars/)
  write('mine/kafka_2.13-4.3.1.jar', '')
  write('mine/questdb-9.3.4.jar', '')
  const { env } = await setUp(folder, needs, makeOut(false))
  assert.equal(env['METERLOOM_SERVER_JARS'], join(folder, 'mine'))
  assert.equal(env['METERLOOM_DATA'], join(folder, '.meterloom'))
  assert.ok(env['PATH']?.includes(join(folder, 'bin')))
})

test('system packages are tried again after an update where lists are old', async (t) => {
  const { folder, program } = makeCheckout(t)
  program('apt-cache', 'exit 0')
  program(
    'apt-get',
    `for a; do case $a in install|update) echo $a >> $SANDBOX/apt; verb=$a;; esac; done
    [ $verb = update ] && touch $SANDBOX/updated
    [ -e $SANDBOX/updated ] || { echo 404 Not Found; exit 100; }`,
  )
  await installSystemPackages(['maven'], 'root', () => undefined)
  assert.equal(readFileSync(join(folder, 'apt'), 'utf8'), 'install\nupdate\ninstall\n')
})

test('system packages that are unknown have their lists fetched first', async (t) => {
  const { folder, program } = makeCheckout(t)
  program('apt-cache', 'exit 100')
  program('apt-get', 'for a; do case $a in install|update) echo $a >> $SANDBOX/apt;; esac; done')
  await installSystemPackages(['maven'], 'root', () => undefined)
  assert.equal(readFileSync(join(folder, 'apt'), 'utf8'), 'update\ninstall\n')
})

test('sudo is asked for apt-get alone, and never for a password', async (t) => {
  const { folder, program } = makeCheckout(t)
  program('apt-cache', 'exit 0')
  program('apt-get', 'exit 0')
  program('sudo', 'printf "%s\n" "$*" >> $SANDBOX/sudo; [ "$1" = -n ] && shift; exec "$@"')
  await installSystemPackages(['maven'], 'sudo', () => undefined)
  const asked = readFileSync(join(folder, 'sudo'), 'utf8').trim().split('\n')
  assert.equal(asked.length, 1)
  assert.match(asked[0] ?? '', /^-n env DEBIAN_FRONTEND=\S+ apt-get .* install -y .*maven$/)
})

test('without the right to install, one sentence names the command', async () => {
  const work = installSystemPackages(['openjdk-17-jre-headless', 'maven'], 'none', () => undefined)
  const error = await failureOf(work)
  assert.match(error.remedy, /apt-get install -y openjdk-17-jre-headless maven - then start again/)
})

test('a Java that is too old is passed over, and a right one is asked only once', async (t) => {
  const { folder, program, write } = makeCheckout(t)
  const cache = join(folder, 'java.stamp')
  program('java', 'echo openjdk version \\"17.0.15\\" >&2; echo asked >> $SANDBOX/asked')
  program('../old/bin/java', 'echo java version \\"1.8.0_392\\" >&2')
  process.env['JAVA_HOME'] = join(folder, 'old')
  for (let i = 0; i < 2; i++) assert.equal(await findJava(cache), join(folder, 'bin/java'))
  assert.equal(readFileSync(join(folder, 'asked'), 'utf8'), 'asked\n')
  write('java.stamp', 'another one')
  await findJava(cache)
  assert.equal(readFileSync(join(folder, 'asked'), 'utf8'), 'asked\nasked\n')
  assert.ok(existsSync(cache))
})
