import { readFileSync, globSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'

/**
 * A source file as the rules of `tidy.test.ts` see it. Paths are those of the checkout, with `/`.
 */
export interface Source {
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  readonly imports: readonly Import[]
  readonly functions: readonly FunctionSpan[]
  /** Strings that may name a file: what a worker, a child process or a URL is made from. */
  readonly strings: readonly string[]
  /** Lines on which the environment is read or written. */
  readonly envLines: readonly number[]
  readonly testMarks: readonly TestMark[]
}

export interface Import {
  readonly line: number
  /**
   * As it is written: `./errors.ts`, `kafkajs`. A dynamic one of a template has `*` for each part.
   */
  readonly specifier: string
}

export interface FunctionSpan {
  readonly line: number
  readonly lineCount: number
  /** What it is passed to, such as `describe`; '' where it is no argument. */
  readonly passedTo: string
}

/** `test.skip`, `{ only: true }` and their like. */
export interface TestMark {
  readonly line: number
  readonly text: string
}

/** All sources under `folders` of the checkout `root`. */
export function readSources(root: string, folders: readonly string[]): Source[] {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx,js}`, { cwd: root }))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')))
}

export function parseSource(path: string, text: string): Source {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found = {
    imports: [] as Import[],
    functions: [] as FunctionSpan[],
    strings: [] as string[],
    envLines: [] as number[],
    testMarks: [] as TestMark[],
  }
  const lineOf = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart()).line + 1
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) found.imports.push({ line: lineOf(node), specifier })
    if (isFunctionBody(node)) {
      const lineCount = file.getLineAndCharacterOfPosition(node.end).line + 2 - lineOf(node)
      found.functions.push({ line: lineOf(node), lineCount, passedTo: calleeOf(node) })
    }
    if (ts.isStringLiteralLike(node)) found.strings.push(node.text)
    if (readsEnvironment(node)) found.envLines.push(lineOf(node))
    const mark = testMarkOf(node)
    if (mark !== undefined) found.testMarks.push({ line: lineOf(node), text: mark })
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { path, text, lines: text.split('\n'), ...found }
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)
      ? node.moduleSpecifier.text
      : undefined
  }
  if (ts.isImportTypeNode(node)) {
    const { argument } = node
    const literal = ts.isLiteralTypeNode(argument) ? argument.literal : undefined
    return literal && ts.isStringLiteral(literal) ? literal.text : undefined
  }
  if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) {
    return undefined
  }
  const [target] = node.arguments
  if (target && ts.isStringLiteralLike(target)) return target.text
  if (!target || !ts.isTemplateExpression(target)) return undefined
  return target.head.text + target.templateSpans.map(({ literal }) => `*${literal.text}`).join('')
}

function isFunctionBody(node: ts.Node): boolean {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined
}

/** `describe` of `describe('x', () => {})`, `t.test` of `t.test('y', () => {})`. */
function calleeOf(node: ts.Node): string {
  const parent = node.parent as ts.Node | undefined
  return parent && ts.isCallExpression(parent) ? parent.expression.getText() : ''
}

function readsEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    return node.expression.getText() === 'process' && node.name.text === 'env'
  }
  if (!ts.isVariableDeclaration(node) || node.initializer?.getText() !== 'process') return false
  return ts.isObjectBindingPattern(node.name) && /\benv\b/.test(node.name.getText())
}

const TEST_CALLS = new Set(['test', 'it', 'describe', 'suite', 't'])

function testMarkOf(node: ts.Node): string | undefined {
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { expression, name } = node.expression
    const marks = name.text === 'only' || name.text === 'skip' || name.text === 'todo'
    // `t.skip('reason')` inside a running test prints its reason.
    const tellsWhy = expression.getText() === 't' && node.arguments.length > 0
    if (marks && TEST_CALLS.has(expression.getText()) && !tellsWhy) return node.expression.getText()
  }
  if (ts.isPropertyAssignment(node) && ts.isObjectLiteralExpression(node.parent)) {
    const name = node.name.getText()
    const isTrue = node.initializer.kind === ts.SyntaxKind.TrueKeyword
    const options = TEST_CALLS.has(calleeOf(node.parent).split('.')[0] ?? '')
    if (options && isTrue && (name === 'only' || name === 'skip' || name === 'todo')) {
      return node.getText()
    }
  }
  return undefined
}

/** The path that a relative specifier means, seen from `from`; undefined for a package. */
export function pathOf(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return posix.join(posix.dirname(from), specifier)
}
