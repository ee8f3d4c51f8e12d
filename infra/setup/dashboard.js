import { existsSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from './command.js'
import { isStamped, stampOf, writeStamp } from './stamp.js'

/** The dashboard, built by Vite from `src/web` into the folder that the api serves. */

const SOURCES = 'src/web'
const BUILT = 'build/web'
const STAMP = '.stamp'

/** @param {string} root */
function dashboardStamp(root) {
  const files = readdirSync(join(root, SOURCES), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const lock = readFileSync(join(root, 'package-lock.json'))
  return stampOf([lock, ...files.flatMap((file) => [file.slice(root.length), readFileSync(file)])])
}

/** @param {string} root */
export function dashboardNeeded(root) {
  return !isStamped(join(root, BUILT, STAMP), dashboardStamp(root))
}

/**
 * Builds beside the folder and puts the result in its place when it is whole: an api that serves
 * the old one goes on doing so.
 *
 * @param {string} root
 * @param {string} node The program that runs the product.
 */
export async function buildDashboard(root, node) {
  const folder = join(root, BUILT)
  const fresh = `${folder}.${process.pid}.new`
  const stamp = dashboardStamp(root)
  try {
    await mustRun(
      'Vite could not build the dashboard',
      'Mend what Vite says above, then start again.',
      [
        node,
        [
          join(root, 'node_modules/vite/bin/vite.js'),
          ...['build', '--config', join(root, SOURCES, 'vite.config.ts')],
          ...['--outDir', fresh, '--logLevel', 'warn'],
        ],
        { cwd: root, env: { NODE_ENV: 'production' } },
      ],
    )
    writeStamp(join(fresh, STAMP), stamp)
    rmSync(folder, { recursive: true, force: true })
    renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  const assets = join(folder, 'assets')
  const count = existsSync(assets) ? readdirSync(assets).length : 0
  return `${count} files in ${BUILT}`
}
