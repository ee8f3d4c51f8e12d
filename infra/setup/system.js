import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isExecutable, onPath, run } from './command.js'
import { SetupError } from './error.js'
import { readIfThere, writeStamp } from './stamp.js'
import { JAVA_MIN, JAVA_PACKAGES, javaMajor } from './versions.js'

/**
 * The system's share: Java, Maven, and for the tests mosquitto, Chromium, Prometheus and Python's
 * venv, from its packages.
 */

/**
 * How packages may be installed: as root; by sudo without a password; by sudo, which asks on the
 * terminal; or not at all.
 *
 * @typedef {'root' | 'sudo' | 'sudo-asks' | 'none'} Privilege
 */

/**
 * @param {{ uid: number | undefined, sudo: boolean, sudoIsFree: boolean, terminal: boolean }} facts
 * @returns {Privilege}
 */
export function privilegeOf({ uid, sudo, sudoIsFree, terminal }) {
  if (uid === 0) return 'root'
  if (!sudo) return 'none'
  if (sudoIsFree) return 'sudo'
  return terminal ? 'sudo-asks' : 'none'
}

export async function findPrivilege() {
  const uid = process.getuid?.()
  const sudo = onPath('sudo') !== undefined
  const sudoIsFree = uid !== 0 && sudo && (await run('sudo', ['-n', 'true'])).code === 0
  const terminal = process.stdin.isTTY && process.stderr.isTTY
  return privilegeOf({ uid, sudo, sudoIsFree, terminal })
}

/**
 * The line that a person would type for it.
 *
 * @param {readonly string[]} packages
 */
export function installLine(packages) {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo '
  return `${sudo}apt-get update && ${sudo}apt-get install -y ${packages.join(' ')}`
}

/** @param {readonly string[]} packages @returns {SetupError} */
export function cannotInstall(packages) {
  return new SetupError(
    `system packages are missing, and installing them needs root: ${packages.join(', ')}`,
    `Run: ${installLine(packages)} - then start again.`,
  )
}

/**
 * Debian starts these as services: mosquitto on the bridge's port, Prometheus for good. Tests start
 * their own.
 */
const SERVICES = ['mosquitto', 'prometheus']

/**
 * Installs Debian packages.
 *
 * @param {readonly string[]} packages
 * @param {Privilege} privilege
 * @param {(text: string) => void} detail
 */
export async function installSystemPackages(packages, privilege, detail) {
  if (privilege === 'none') throw cannotInstall(packages)
  const remedy = `Try it by hand: ${installLine(packages)} - then start again.`
  /** @type {(args: string[]) => Promise<import('./command.js').Ran>} */
  const apt = (args) => {
    const settings = ['-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=300']
    const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...settings, ...args]
    const [program = '', ...rest] = privilege === 'root' ? command : ['sudo', '-n', ...command]
    return run(program, rest, { onLine: detail })
  }
  const install = () => apt(['install', '-y', '--no-install-recommends', ...packages])

  // Lists that were never fetched know no package; old ones name versions that are gone.
  const known = (await run('apt-cache', ['show', '--no-all-versions', ...packages])).code === 0
  let ran = known ? await install() : { code: 1, tail: [] }
  if (ran.code !== 0) {
    const updated = await apt(['update'])
    if (updated.code !== 0) {
      throw new SetupError("'apt-get update' failed", remedy, updated.tail)
    }
    ran = await install()
  }
  if (ran.code !== 0) {
    throw new SetupError(`apt-get could not install ${packages.join(' ')}`, remedy, ran.tail)
  }
  const services = SERVICES.filter((name) => packages.includes(name))
  if (services.length > 0 && existsSync('/run/systemd/system')) {
    const off = ['systemctl', 'disable', '--now', ...services]
    const [program = '', ...rest] = privilege === 'root' ? off : ['sudo', '-n', ...off]
    await run(program, rest)
  }
  return packages.join(', ')
}

/**
 * The newest of `JAVA_PACKAGES` in our order that this system has.
 *
 * @returns {Promise<string>}
 */
export async function javaPackage() {
  for (const name of JAVA_PACKAGES) {
    const { code, tail } = await run('apt-cache', ['policy', name])
    if (code === 0 && tail.some((line) => /Candidate: [0-9]/.test(line))) return name
  }
  // Without lists nothing is known yet: the one of the current stable Debian.
  return debianMajor() >= 13 ? 'openjdk-21-jre-headless' : 'openjdk-17-jre-headless'
}

function debianMajor() {
  try {
    return Number(/^VERSION_ID="?(\d+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/**
 * A Java that is new enough. Asking one takes as long as starting it, so the answer is kept with
 * the file's time.
 *
 * @param {string} cacheFile
 * @returns {Promise<string | undefined>} The program's path.
 */
export async function findJava(cacheFile) {
  const home = process.env['JAVA_HOME']
  const candidates = [
    home === undefined ? undefined : join(home, 'bin/java'),
    onPath('java'),
    ...installedJavas(),
  ]
  for (const file of new Set(candidates)) {
    if (file === undefined || !isExecutable(file)) continue
    const real = realpathSync(file)
    const asked = `${real} ${statSync(real).mtimeMs}`
    if (readIfThere(cacheFile) === asked) return file
    const { tail } = await run(file, ['-version'])
    if ((javaMajor(tail.join('\n')) ?? 0) < JAVA_MIN) continue
    writeStamp(cacheFile, asked)
    return file
  }
  return undefined
}

function installedJavas() {
  const folder = '/usr/lib/jvm'
  if (!existsSync(folder)) return []
  return readdirSync(folder).map((name) => join(folder, name, 'bin/java'))
}
