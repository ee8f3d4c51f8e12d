import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { SETTINGS } from '../src/kernel/config.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

function settingsTable(): string {
  const rows = Object.values(SETTINGS).map((s) => {
    const preset = s.default === undefined || s.default === '' ? '' : `\`${s.default}\``
    return `| \`${s.env}\` | ${preset} | ${s.description} |`
  })
  return ['| setting | default | meaning |', '|---|---|---|', ...rows].join('\n')
}

test('the README shows every setting as it is declared', () => {
  const shown = /<!-- settings -->\n([\s\S]*?)\n?<!-- \/settings -->/.exec(readme)?.[1]
  assert.equal(shown?.trim(), settingsTable(), 'put this table between the settings marks')
})
