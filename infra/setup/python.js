import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun, onPath, run } from './command.js'
import { isStamped, stampOf, writeStamp } from './stamp.js'
import { FASTAVRO } from './versions.js'

/** The tests' Python: an environment of its own with an Avro library that is none of ours. */

const STAMP = '.stamp'

/** @param {string} folder */
export function pythonOf(folder) {
  return join(folder, 'bin/python')
}

/** @param {string} folder */
export function pythonNeeded(folder) {
  return !isStamped(join(folder, STAMP), stampOf([FASTAVRO]))
}

/** Debian packages that Python needs to make environments. */
export async function pythonPackagesMissing() {
  const python = onPath('python3')
  if (python === undefined) return ['python3-venv']
  const { code } = await run(python, ['-c', 'import venv, ensurepip'])
  return code === 0 ? [] : ['python3-venv']
}

/** @param {string} folder */
export async function makePython(folder) {
  rmSync(folder, { recursive: true, force: true })
  await mustRun(
    'Python could not make an environment for the tests',
    "Install Python's venv (on Debian: 'apt-get install python3-venv'), then start again.",
    ['python3', ['-m', 'venv', folder]],
  )
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input']
  await mustRun(
    `pip could not install fastavro ${FASTAVRO}`,
    'Mend what pip says above (is the network there?), then start again.',
    [pythonOf(folder), [...pip, '--prefer-binary', `fastavro==${FASTAVRO}`]],
  )
  writeStamp(join(folder, STAMP), stampOf([FASTAVRO]))
  return `fastavro ${FASTAVRO}`
}
