import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import pg from 'pg'
import { loadRegistry } from '../../src/registry/files.ts'
import { questdbSql } from '../../src/sinks/questdb-http.ts'
import { mirrorRegistry } from '../../src/sinks/registry-mirror.ts'
import { refreshViews } from '../analysts/support.ts'
import { analystsUrl, onTables } from '../support/psql.ts'
import {
  type Dashboard,
  dashboards,
  panelsOf,
  type Substitution,
  substituted,
} from './dashboards.ts'
import { eventually } from './eventually.ts'
import { metricsOf } from './prometheus.ts'
import { startStack } from './stack.ts'

// Grafana itself is not here: its part is done by `substituted`, and each query is put to the
// server that Grafana would put it to.

/** Queries that answer nothing on a stack that is well. */
const MAY_BE_EMPTY: Readonly<Record<string, string>> = {
  'Transactions not yet visible B': 'a suspended table has a line, and none is',
}

/** Metrics that need not be there, since what they tell of has not happened. */
const MAY_BE_MISSING: Readonly<Record<string, string>> = {
  ALERTS: 'Prometheus makes it with the first alert; the panel shows 0 until then',
}

const folder = mkdtempSync(join(tmpdir(), 'grafana-'))
after(() => {
  rmSync(folder, { recursive: true })
})
const metersFile = join(folder, 'meters.json')
const MINUTE_MS = 60_000
const HOURS_FED = 30
const now = Date.now()
const ago = (minutes: number) => new Date(now - minutes * MINUTE_MS).toISOString()

/** Two of six meters have a place. */
const meters = ['sim-0001', 'sim-0002'].map((meterId) => ({
  ...{ tenant: 'demo', meterId, place: 'north', zone: 'Europe/Berlin' },
}))
writeFileSync(metersFile, JSON.stringify({ meters }))

const { pipeline, prometheus } = await startStack({ after }, { metersFile })
const { questdbUrl, tablePrefix } = pipeline.config

async function feed(): Promise<void> {
  const registry = await loadRegistry(pipeline.config)
  await mirrorRegistry({ questdbUrl, prefix: tablePrefix, registry })
  const silent = join(folder, 'lab-1.csv')
  const lines = Array.from({ length: 60 }, (_, i) => `${ago(300 - i)},230`)
  writeFileSync(silent, ['at,voltage_v', ...lines, ''].join('\n'))
  const replayed = await pipeline.cli('replay', silent, '--url', pipeline.mqttUrl)
  assert.equal(replayed.code, 0, replayed.stderr)
  const simulated = await pipeline.cli(
    ...[
      'simulate',
      '--meters',
      '6',
      '--seed',
      '3',
      '--start',
      ago(HOURS_FED * 60),
      '--until',
      'now',
    ],
    ...['--faults', 'spikes=0.05,poison=0.01,duplicates=0.01', '--speed', 'max'],
    ...['--url', pipeline.mqttUrl, '--json'],
  )
  assert.equal(simulated.code, 0, simulated.stderr)
  await pipeline.settled()
  await refreshViews(questdbSql(questdbUrl), tablePrefix)
}

await eventually('Prometheus sees the roles, so that rates see what comes grow', async () => {
  const up = (await prometheus.targets()).filter(({ health }) => health === 'up')
  assert.equal(up.length, 4)
})
await feed()
const grafana = new pg.Client({ connectionString: await analystsUrl(questdbUrl) })
await grafana.connect()
after(() => grafana.end())

async function rowsOf(query: string): Promise<readonly Record<string, unknown>[]> {
  try {
    return (await grafana.query<Record<string, unknown>>(onTables(query, tablePrefix))).rows
  } catch (cause) {
    throw new Error(`QuestDB refuses ${query}`, { cause })
  }
}

const [fleet, pipelineDashboard] = dashboards() as [Dashboard, Dashboard]

/** Chooses as a person who opens the dashboard: all of several, else the first. */
async function choices(): Promise<Substitution> {
  const variables = new Map<string, readonly string[]>()
  const multi = new Set<string>()
  const substitution = { from: ago(24 * 60), to: ago(0), variables, multi }
  for (const { name, query, multi: isMulti } of fleet.templating.list) {
    const rows = await rowsOf(substituted(query, substitution))
    assert.ok(rows.length > 0, `${name} has nothing to choose`)
    variables.set(
      name,
      rows.map((row) => String(Object.values(row)[0])),
    )
    if (isMulti) multi.add(name)
  }
  return substitution
}
const substitution = await choices()

/** A meter with a spike of the channel and in the time that are shown: chance decides which. */
async function aMeterWithASpike(): Promise<string> {
  const [found] = await rowsOf(
    "SELECT meter_id FROM anomalies WHERE tenant = 'demo' AND channel = 'power_w' AND " +
      `kind = 'energy_spike' AND state = 'active' AND ts > '${substitution.from}' LIMIT 1`,
  )
  assert.ok(found, 'none of six meters has a spike in a day')
  return String(found['meter_id'])
}
const meter = await aMeterWithASpike()

test('the variables offer tenants, places, meters and channels', () => {
  assert.deepEqual(Object.fromEntries(substitution.variables), {
    tenant: ['demo'],
    place: ['no place', 'north'],
    meter: ['lab-1', ...[1, 2, 3, 4, 5, 6].map((i) => `sim-000${i}`)],
    channel: ['power_w', 'voltage_v'],
    register: ['energy_register_wh', 'export_total_wh'],
  })
})

for (const panel of panelsOf(fleet)) {
  test(`fleet: ${panel.title}`, async () => {
    const variables = new Map(substitution.variables).set('meter', [meter])
    // In the first hour of a day (UTC) no day of the last 24 hours has a whole hour yet.
    const from = panel.title === 'Energy by day' ? ago(HOURS_FED * 60) : substitution.from
    for (const { rawSql, format } of panel.targets!) {
      const rows = await rowsOf(substituted(rawSql!, { ...substitution, from, variables }))
      assert.ok(rows.length > 0, 'it shows nothing')
      const cells = Object.values(rows[0]!)
      assert.ok(cells.every((cell) => cell !== null) || rows.length > 1, JSON.stringify(rows))
      if (format === 'time_series') {
        assert.ok(rows[0]!['time'] instanceof Date, 'Grafana wants a column time')
        const times = rows.map(({ time }) => Number(time))
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
          'Grafana wants it in order',
        )
      }
      const names = [...Object.keys(rows[0]!), 'time']
      for (const { matcher } of panel.fieldConfig!.overrides) {
        const isHere = rawSql!.includes(matcher.options)
        assert.ok(!isHere || names.includes(matcher.options), `no column ${matcher.options}`)
      }
    }
  })
}

test('what the fleet panels show is what was fed', async () => {
  const show = async (title: string, variables = substitution.variables) => {
    const { targets } = fleet.panels.find((panel) => panel.title === title)!
    return rowsOf(substituted(targets![0]!.rawSql!, { ...substitution, variables }))
  }
  const number = async (...args: Parameters<typeof show>) => {
    return Number(Object.values((await show(...args))[0]!)[0])
  }
  assert.equal(await number('Meters reporting'), 6)
  assert.equal(await number('Meters silent'), 1)
  const [silent] = await show('Silent meters')
  assert.equal(silent!['meter_id'], 'lab-1')
  assert.ok(Number(silent!['silent_for']) > 4 * 3_600)
  const north = new Map(substitution.variables).set('place', ['north'])
  assert.equal(await number('Meters reporting', north), 2)
  assert.equal(await number('Meters silent', north), 0)
  assert.equal((await show('Top consumers', north)).length, 2)
})

for (const panel of panelsOf(pipelineDashboard)) {
  test(`pipeline: ${panel.title}`, async () => {
    for (const { refId, expr } of panel.targets!) {
      const query = substituted(expr!, substitution)
      // The first look of a watch may still be to come.
      await eventually(`${panel.title} ${refId} shows something`, async () => {
        const samples = await prometheus.query(query)
        const mayBe = `${panel.title} ${refId}` in MAY_BE_EMPTY
        assert.equal(samples.length > 0, !mayBe, query)
      })
    }
  })
}

test('every metric of the dashboard is one that Prometheus has', async () => {
  const names = await prometheus.metricNames()
  const used = panelsOf(pipelineDashboard).flatMap(({ targets }) => {
    return targets!.flatMap(({ expr }) => metricsOf(expr!))
  })
  assert.ok(used.length > 30)
  const missing = used.filter((name) => !names.has(name) && !(name in MAY_BE_MISSING))
  assert.deepEqual(missing, [])
})
