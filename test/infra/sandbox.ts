import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

/** A folder of a test's own, with programs that stand in for npm, apt-get and Maven. */
export interface Sandbox {
  readonly folder: string
  /** Writes a file below the folder; answers its path. */
  readonly write: (path: string, text: string) => string
  /** Puts a shell script on the PATH, before everything else. It finds the folder as $SANDBOX. */
  readonly program: (name: string, script: string) => void
}

/** Changes PATH and the settings that set-up reads until the test ends. */
export function makeSandbox(t: TestContext): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'meterloom-setup-'))
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const before = { ...process.env }
  for (const name of ['npm_execpath', 'METERLOOM_DATA', 'METERLOOM_SERVER_JARS', 'JAVA_HOME']) {
    Reflect.deleteProperty(process.env, name)
  }
  process.env['SANDBOX'] = folder
  process.env['PATH'] = `${bin}${delimiter}${before['PATH'] ?? ''}`
  t.after(() => {
    process.env = before
    rmSync(folder, { recursive: true, force: true })
  })
  const write = (path: string, text: string) => {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }
  const program = (name: string, script: string) => {
    chmodSync(write(`bin/${name}`, `#!/bin/sh\n${script}\n`), 0o755)
  }
  return { folder, write, program }
}

/** Takes what is written, as a terminal or as a file does. */
export function makeOut(isTTY: boolean) {
  const written: string[] = []
  const write = (text: string) => written.push(text)
  return { isTTY, columns: 60, write, text: () => written.join('') }
}
