import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { serverErrors } from './errors.ts'

/** Set-up puts a Java that is new enough first on the PATH. */
export const JAVA = 'java'
/** In a locale without UTF-8, Java 17 cannot open files whose names are not ASCII. */
export const JAVA_ENV = { LC_ALL: 'C.UTF-8' }

/** @throws servers.noJars where the folder lacks Kafka's or QuestDB's jar. */
export function jarClassPath(jarsDir: string): string {
  const jars = existsSync(jarsDir) ? readdirSync(jarsDir) : []
  const has = (name: string) => jars.some((jar) => jar.startsWith(name))
  if (!has('kafka_') || !has('questdb-')) throw serverErrors.noJars({ jarsDir })
  return join(jarsDir, '*')
}
