import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SETTINGS } from '../../src/kernel/config.ts'
import {
  alertNames,
  filesOf,
  MONITORING_PAGE,
  PROMETHEUS_FILE,
  PROMETHEUS_FOLDER,
  withToken,
} from './files.ts'

/** Runs Debian's promtool. @throws With what it writes where it finds fault. */
function promtool(...args: string[]): string {
  return execFileSync('promtool', args, { encoding: 'utf8', cwd: PROMETHEUS_FOLDER, stdio: 'pipe' })
}

test('the configuration is one that Prometheus takes, with a scrape token and without', (t) => {
  assert.match(promtool('check', 'config', PROMETHEUS_FILE), /2 rule files found/)
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
  t.after(() => {
    rmSync(folder, { recursive: true })
  })
  cpSync(PROMETHEUS_FOLDER, folder, { recursive: true })
  const text = readFileSync(PROMETHEUS_FILE, 'utf8')
  assert.doesNotMatch(text, /^ *authorization:/m)
  writeFileSync(join(folder, 'prometheus.yml'), withToken(text))
  writeFileSync(join(folder, 'scrape-token'), 'secret')
  promtool('check', 'config', join(folder, 'prometheus.yml'))
  assert.match(withToken(text), /^ {4}authorization:\n {6}type: Bearer\n {6}credentials_file: /m)
})

test('the targets are the default ports of the roles', () => {
  const text = readFileSync(PROMETHEUS_FILE, 'utf8')
  const targets = [...text.matchAll(/\['127\.0\.0\.1:(\d+)'\] # (\w+)/g)]
  const ports = targets.map(([, port, setting]) => `${setting!} ${port!}`)
  const { bridgeOpsPort, processorOpsPort, workerOpsPort, apiPort } = SETTINGS
  const roles = [bridgeOpsPort, processorOpsPort, workerOpsPort, apiPort]
  assert.deepEqual(
    ports,
    roles.map((setting) => `${setting.env} ${setting.default!}`),
  )
})

test('the rules are sound, and each alert fires when it should and stays quiet when not', () => {
  promtool('check', 'rules', ...filesOf(PROMETHEUS_FOLDER, 'rules/*.yml'))
  const cases = filesOf(PROMETHEUS_FOLDER, 'tests/*.yml')
  promtool('test', 'rules', ...cases)
  const text = cases.map((file) => readFileSync(file, 'utf8')).join('\n')
  const told = [...text.matchAll(/alertname: (\w+)\n +exp_alerts:( \[\])?/g)]
  const names = (quiet: boolean) =>
    told.filter(([, , none]) => (none !== undefined) === quiet).map(([, name]) => name!)
  assert.ok(alertNames().length >= 30)
  for (const name of alertNames()) {
    assert.ok(names(false).includes(name), `${name} has no case in which it fires`)
    assert.ok(names(true).includes(name), `${name} has no case in which it stays quiet`)
  }
})

test('promtool finds a rule that is wrong: the check above can fail', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
  t.after(() => {
    rmSync(folder, { recursive: true })
  })
  cpSync(PROMETHEUS_FOLDER, folder, { recursive: true })
  const file = join(folder, 'rules/alerts.yml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('== 0', '== 1'))
  assert.throws(() => promtool('test', 'rules', join(folder, 'tests/roles.yml')), /FAILED/)
})

test('every alert says how bad it is, what it means, and where it stands what to do', () => {
  const page = readFileSync(MONITORING_PAGE, 'utf8')
  const text = readFileSync(join(PROMETHEUS_FOLDER, 'rules/alerts.yml'), 'utf8')
  const rules = text.split(/^ +- alert: /m).slice(1)
  for (const rule of rules) {
    const name = /^\w+/.exec(rule)![0]
    assert.match(rule, /labels: \{ severity: (critical|warning|info) \}/, name)
    assert.match(rule, /^ +summary: /m, name)
    assert.match(rule, /^ +description: /m, name)
    const anchor = /runbook_url: docs\/monitoring\.md#(\w+)/.exec(rule)?.[1]
    assert.equal(anchor, name.toLowerCase())
    const section = new RegExp(`^### ${name}\n\n(.+)`, 'm').exec(page)
    assert.ok((section?.[1] ?? '').length > 40, `docs/monitoring.md does not say what to do`)
    const row = new RegExp(`^\\| \\[${name}\\]\\(#${anchor}\\) \\| (\\w+) \\|`, 'm').exec(page)
    assert.equal(row?.[1], /severity: (\w+)/.exec(rule)![1], `${name} in the table of alerts`)
  }
  assert.equal(rules.length, alertNames().length)
  assert.equal(
    [...page.matchAll(/^### Meterloom/gm)].length,
    rules.length,
    'no section is left over',
  )
})
