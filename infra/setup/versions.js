/** What the set-up installs, pinned. A changed pin is installed at the next start. */

/** The least Node that runs set-up itself. */
export const NODE_FOR_SETUP = '20.0.0'
/** The least Node that runs the product: type stripping, and what @platformatic/kafka asks for. */
export const NODE_MIN = '24.6.0'
/** The one that is installed where the running one is older. */
export const NODE_PINNED = '24.21.0'

export const JAVA_MIN = 17
/** In the order of preference; a distribution has one or two of them. */
export const JAVA_PACKAGES = [
  'openjdk-17-jre-headless',
  'openjdk-21-jre-headless',
  'openjdk-25-jre-headless',
]
export const MAVEN_DEPENDENCY_PLUGIN = '3.6.1'

/** An Avro library that is none of ours, for the tests. */
export const FASTAVRO = '1.13.1'

/**
 * Whether version `a` is at least `b`. Both are `major.minor.patch`, a leading `v` and what follows
 * a dash are ignored.
 *
 * @param {string} a
 * @param {string} b
 */
export function isAtLeast(a, b) {
  const x = parts(a)
  const y = parts(b)
  for (let i = 0; i < 3; i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/** @param {string} version */
function parts(version) {
  return version.replace(/^v/, '').replace(/-.*$/, '').split('.').map(Number)
}

/**
 * The major version in what `java -version` prints; 8 for `1.8.0_392`, undefined where there is
 * none.
 *
 * @param {string} text
 */
export function javaMajor(text) {
  const found = /version "(\d+)(?:\.(\d+))?/.exec(text)
  if (!found) return undefined
  const major = Number(found[1])
  return major === 1 ? Number(found[2]) : major
}
