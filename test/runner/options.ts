import { globSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

/**
 * What a person may ask of a test run: `npm test -- test/log test/x.test.ts --name 'closes a
 * window'`.
 */
export interface RunOptions {
  /** Absolute, sorted, none twice. */
  readonly files: readonly string[]
  /** Regular expressions; a test runs whose name fits one of them. Empty: all run. */
  readonly names: readonly string[]
}

/** @throws Error naming the argument that fits no test. */
export function parseOptions(root: string, args: readonly string[]): RunOptions {
  const names: string[] = []
  const paths: string[] = []
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? ''
    if (argument.startsWith('--name=')) names.push(argument.slice('--name='.length))
    else if (argument === '--name') names.push(valueAfter(args, i++))
    else if (argument.startsWith('-')) {
      throw new Error(`'${argument}' is no option: give files, folders, or --name PATTERN`)
    } else paths.push(argument)
  }
  const chosen = paths.length === 0 ? ['test'] : paths
  const files = chosen.flatMap((path) => testFilesIn(root, path))
  return { files: [...new Set(files)].sort(), names }
}

function valueAfter(args: readonly string[], index: number): string {
  const value = args[index + 1]
  if (value === undefined) throw new Error(`${args[index] ?? ''} wants a value after it`)
  return value
}

function testFilesIn(root: string, path: string): string[] {
  const found = resolve(root, path)
  const stat = statSync(found, { throwIfNoEntry: false })
  if (stat?.isFile() === true) return [found]
  const files = stat
    ? globSync('**/*.test.ts', { cwd: found }).map((name) => join(found, name))
    : []
  if (files.length > 0) return files
  throw new Error(`'${relative(root, found)}' is neither a test file nor a folder with tests`)
}
