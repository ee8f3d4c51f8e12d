import { spawnSync } from 'node:child_process'
import { delimiter, dirname, join, resolve } from 'node:path'
import { onPath } from './command.js'
import { SetupError } from './error.js'
import { buildDashboard, dashboardNeeded } from './dashboard.js'
import { fetchJars, hasServerJars, jarsNeeded } from './jars.js'
import {
  installNode,
  installNpmPackages,
  linkPostgres,
  npmPackagesNeeded,
  postgresWithoutLinks,
  productNode,
} from './packages.js'
import { startStep } from './progress.js'
import { makePython, pythonNeeded, pythonOf, pythonPackagesMissing } from './python.js'
import { withLock } from './stamp.js'
import {
  cannotInstall,
  findJava,
  findPrivilege,
  installSystemPackages,
  javaPackage,
} from './system.js'
import { JAVA_MIN } from './versions.js'

/**
 * Set-up: brings the machine to where a command can run, and says so only where there is something
 * to do. A second run finds all in place by looking at a few files, without a network.
 */

/**
 * What a command needs beside the npm packages and Node, which all need.
 *
 * @typedef {{ servers: boolean, dashboard: boolean, tests: boolean }} Needs
 *
 * @typedef {object} Ready
 * @property {string} node The program that runs the product.
 * @property {Record<string, string>} env What the command's environment gets beside the present
 *   one.
 */

/**
 * @param {string} command As in `node infra/run.js COMMAND`.
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Needs}
 */
export function needsOf(command, args, env) {
  if (command === 'test') return { servers: true, dashboard: true, tests: true }
  if (command === 'faults' || command === 'sabotage') return ONLY_SERVERS
  const name = command === 'cli' ? args[0] : command
  if ((name !== 'start' && name !== 'bench') || args.includes('--help')) {
    return { servers: false, dashboard: false, tests: false }
  }
  // Kafka and QuestDB are what Java is for. Tests start and kill servers of their own in any case.
  const given = isSet(env['KAFKA_BROKERS']) && isSet(env['QUESTDB_URL'])
  return { servers: !given, dashboard: name === 'start', tests: false }
}

/** @param {string | undefined} value */
const isSet = (value) => value !== undefined && value !== ''
const ONLY_SERVERS = { servers: true, dashboard: false, tests: false }

/**
 * @param {string} root The checkout.
 * @param {Needs} needs
 * @param {import('./progress.js').Out} [out]
 * @returns {Promise<Ready>}
 * @throws {SetupError} What cannot be done, and what to do about it.
 */
export async function setUp(root, needs, out = process.stderr) {
  const places = placesOf(root)
  const steps = await missingSteps(root, needs, places)
  if (steps.length > 0) {
    await withLock(
      join(places.data, 'setup.lock'),
      (pid) => out.write(`set-up: waiting for another one, process ${pid}\n`),
      async () => {
        // Another set-up may have done it all while this one waited.
        for (const step of await missingSteps(root, needs, places)) await perform(step, out)
      },
    )
  }
  return readyWith(root, needs, places)
}

/**
 * @typedef {object} Places
 * @property {string} data Where the embedded servers and set-up itself keep what is theirs.
 * @property {string} jars
 * @property {boolean} jarsGiven By METERLOOM_SERVER_JARS: then they are not ours to fetch.
 * @property {string} python
 * @property {string} javaCache
 *
 * @param {string} root
 * @returns {Places}
 */
function placesOf(root) {
  const { METERLOOM_DATA: dataGiven, METERLOOM_SERVER_JARS: jarsGiven } = process.env
  const data = isSet(dataGiven) ? resolve(dataGiven ?? '') : join(root, '.meterloom')
  return {
    data,
    jars: isSet(jarsGiven) ? resolve(jarsGiven ?? '') : join(data, 'jars'),
    jarsGiven: isSet(jarsGiven),
    python: join(data, 'venv'),
    javaCache: join(data, 'java.stamp'),
  }
}

/**
 * @typedef {object} SetupStep
 * @property {string} name
 * @property {(detail: (text: string) => void) => Promise<string>} run Answers what was done.
 * @property {() => void} [ask] Asks the person at the terminal before the step's progress is drawn.
 *
 * @param {string} root
 * @param {Needs} needs
 * @param {Places} places
 * @returns {Promise<SetupStep[]>} In the order in which they must be done.
 */
async function missingSteps(root, needs, places) {
  const steps = npmSteps(root)
  const fetchesJars = needs.servers && !places.jarsGiven && jarsNeeded(root, places.jars)
  const makesPython = needs.tests && pythonNeeded(places.python)
  const packages = await missingSystemPackages(needs, places, { fetchesJars, makesPython })
  if (packages.length > 0) steps.push(await systemStep(packages))
  if (fetchesJars) {
    steps.push({
      name: 'Kafka and QuestDB',
      run: async (detail) => {
        const programs = { java: await requireJava(places), maven: requireMaven() }
        return fetchJars(root, places.jars, programs, detail)
      },
    })
  }
  if (makesPython)
    steps.push({ name: 'Python for the tests', run: () => makePython(places.python) })
  if (needs.dashboard && dashboardNeeded(root)) {
    steps.push({ name: 'dashboard', run: () => buildDashboard(root, requireNode(root)) })
  }
  return steps
}

/** @param {string} root @returns {SetupStep[]} */
function npmSteps(root) {
  /** @type {SetupStep[]} */
  const steps = []
  const installs = npmPackagesNeeded(root)
  if (installs) {
    steps.push({
      name: 'npm packages',
      run: async (detail) => {
        const done = await installNpmPackages(root, detail)
        const folder = postgresWithoutLinks(root)
        if (folder !== undefined) await linkPostgres(folder)
        return done
      },
    })
  }
  const unlinked = installs ? undefined : postgresWithoutLinks(root)
  if (unlinked !== undefined) {
    steps.push({ name: "Postgres's libraries", run: () => linkPostgres(unlinked) })
  }
  const node = productNode(root)
  // `npm ci` removes the Node that was installed into node_modules.
  if (node === undefined || (installs && node.startsWith(join(root, 'node_modules')))) {
    steps.push({ name: 'Node 24', run: () => installNode(root) })
  }
  return steps
}

/**
 * @param {Needs} needs
 * @param {Places} places
 * @param {{ fetchesJars: boolean, makesPython: boolean }} plan
 */
async function missingSystemPackages(needs, places, { fetchesJars, makesPython }) {
  /** @type {string[]} */
  const packages = []
  if (needs.servers && (await findJava(places.javaCache)) === undefined) {
    packages.push(await javaPackage())
  }
  if (fetchesJars && onPath('mvn') === undefined) packages.push('maven')
  if (needs.tests) {
    packages.push(...TEST_PROGRAMS.filter((name) => findProgram(name) === undefined))
  }
  if (makesPython) packages.push(...(await pythonPackagesMissing()))
  return packages
}

/** Debian puts servers where only root looks. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin']

/** Programs of the tests alone; each is called as its package is. */
const TEST_PROGRAMS = ['mosquitto', 'chromium', 'prometheus']

/** @param {string} name */
function findProgram(name) {
  return onPath(name) ?? onPath(name, SERVER_FOLDERS.join(delimiter))
}

/** @param {readonly string[]} packages @returns {Promise<SetupStep>} */
async function systemStep(packages) {
  if (onPath('apt-get') === undefined) {
    throw new SetupError(
      `this system has no apt-get, and these Debian packages are missing: ${packages.join(', ')}`,
      "Install what they hold by the system's own package manager, then start again.",
    )
  }
  const privilege = await findPrivilege()
  if (privilege === 'none') throw cannotInstall(packages)
  return {
    name: 'system packages',
    run: (detail) => installSystemPackages(packages, privilege, detail),
    ...(privilege === 'sudo-asks' ? { ask: () => askForPassword(packages) } : {}),
  }
}

/** @param {readonly string[]} packages */
function askForPassword(packages) {
  process.stderr.write(`set-up: sudo is needed to install ${packages.join(', ')}\n`)
  const { status } = spawnSync('sudo', ['-v'], { stdio: 'inherit' })
  if (status !== 0) throw cannotInstall(packages)
}

/** @param {SetupStep} step @param {import('./progress.js').Out} out */
async function perform(step, out) {
  step.ask?.()
  const progress = startStep(out, step.name)
  try {
    progress.done(await step.run(progress.detail))
  } catch (error) {
    progress.failed()
    throw error
  }
}

/** @param {Places} places */
async function requireJava(places) {
  const java = await findJava(places.javaCache)
  if (java !== undefined) return java
  throw new SetupError(
    `Java ${JAVA_MIN} or newer is not found, though its package is installed`,
    `Set JAVA_HOME to a Java ${JAVA_MIN} or newer, then start again.`,
  )
}

/** @param {string} root */
function requireNode(root) {
  const node = productNode(root)
  if (node !== undefined) return node
  throw new SetupError(
    'Node 24 is not found after its installation',
    'Remove node_modules, then start again.',
  )
}

function requireMaven() {
  const maven = onPath('mvn')
  if (maven !== undefined) return maven
  throw new SetupError('mvn is not on the PATH', 'Put Maven on the PATH, then start again.')
}

/**
 * @param {string} root
 * @param {Needs} needs
 * @param {Places} places
 * @returns {Promise<Ready>}
 */
async function readyWith(root, needs, places) {
  const node = requireNode(root)
  /** @type {Record<string, string>} */
  const env = { METERLOOM_DATA: places.data }
  const front = [dirname(node)]
  if (needs.servers) {
    if (places.jarsGiven && !hasServerJars(places.jars)) {
      throw new SetupError(
        `METERLOOM_SERVER_JARS is '${places.jars}', which holds no jars of Kafka and QuestDB`,
        'Unset it, and set-up fetches them; or name the folder that holds them.',
      )
    }
    env['METERLOOM_SERVER_JARS'] = places.jars
    front.push(dirname(await requireJava(places)))
  }
  if (needs.tests) env['METERLOOM_PYTHON'] = pythonOf(places.python)
  env['PATH'] = pathWith(front, process.env['PATH'] ?? '')
  return { node, env }
}

/**
 * `path` with `front` before it, and with the folders of servers behind it.
 *
 * @param {readonly string[]} front
 * @param {string} path
 */
export function pathWith(front, path) {
  const folders = [...front, ...path.split(delimiter).filter((f) => f !== ''), ...SERVER_FOLDERS]
  return [...new Set(folders)].join(delimiter)
}
