import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mustRun } from './command.js'
import { isStamped, stampOf, writeStamp } from './stamp.js'
import { MAVEN_DEPENDENCY_PLUGIN } from './versions.js'

/** The jars of Kafka and QuestDB, from Maven by `infra/servers/pom.xml`, in one folder. */

const POM = 'infra/servers/pom.xml'
const PLUGIN = `org.apache.maven.plugins:maven-dependency-plugin:${MAVEN_DEPENDENCY_PLUGIN}`
const STAMP = '.stamp'

/** @param {string} root */
function jarsStamp(root) {
  return stampOf([readFileSync(join(root, POM)), MAVEN_DEPENDENCY_PLUGIN])
}

/** @param {string} root @param {string} folder */
export function jarsNeeded(root, folder) {
  return !isStamped(join(folder, STAMP), jarsStamp(root))
}

/**
 * Fetches the jars beside `folder` and puts them in its place when all are there.
 *
 * @param {string} root
 * @param {string} folder
 * @param {{ java: string, maven: string }} programs
 * @param {(text: string) => void} detail
 */
export async function fetchJars(root, folder, { java, maven }, detail) {
  const fresh = `${folder}.${process.pid}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  let fetched = 0
  try {
    await mustRun(
      'Maven could not fetch the jars of Kafka and QuestDB',
      'Mend what Maven says above (is the network there?), then start again.',
      [
        maven,
        [
          '-B',
          '-f',
          join(root, POM),
          `${PLUGIN}:copy-dependencies`,
          `-DoutputDirectory=${fresh}`,
          '-DincludeScope=runtime',
        ],
        {
          // Maven takes Java from JAVA_HOME before the PATH, and that one may be too old.
          env: { JAVA_HOME: javaHome(java), PATH: `${dirname(java)}:${process.env['PATH'] ?? ''}` },
          onLine: (line) => {
            if (/Downloaded from .*\.jar/.test(line)) detail(`${++fetched} jars fetched`)
          },
        },
      ],
    )
    writeStamp(join(fresh, STAMP), jarsStamp(root))
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(dirname(folder), { recursive: true })
    renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return `${readdirSync(folder).filter((name) => name.endsWith('.jar')).length} jars`
}

/** @param {string} java */
function javaHome(java) {
  const home = dirname(dirname(java))
  // `/usr/bin/java` is a link into the real home; Maven follows it by itself where nothing is set.
  return existsSync(join(home, 'lib/modules')) ? home : undefined
}

/** @param {string} folder Given by METERLOOM_SERVER_JARS. */
export function hasServerJars(folder) {
  if (!existsSync(folder)) return false
  const names = readdirSync(folder)
  return ['kafka_2.13-', 'questdb-'].every((jar) => names.some((name) => name.startsWith(jar)))
}
