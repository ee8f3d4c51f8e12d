import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SETTINGS } from '../../src/kernel/config.ts'
import { type Dashboard, dashboards, panelsOf } from './dashboards.ts'
import { filesOf, GRAFANA_FOLDER } from './files.ts'

const SOURCES_FILE = filesOf(GRAFANA_FOLDER, 'provisioning/datasources/*.yml')[0]!
const sources = readFileSync(SOURCES_FILE, 'utf8')
/** Type of each provisioned data source, by its uid. */
const SOURCES = new Map(
  [...sources.matchAll(/uid: (\S+)\n +type: (\S+)/g)].map(([, uid, type]) => [uid!, type!]),
)

/** Units of Grafana that are used: a slip in a unit shows as text behind the number. */
const UNITS = [
  ...['short', 'cps', 'cpm', 's', 'bytes', 'percent', 'percentunit'],
  ...['watt', 'kwatth', 'volt', 'dateTimeFromNow', 'dateTimeAsIso'],
]

test('the data sources are QuestDB, read-only, and Prometheus, on their default ports', () => {
  assert.deepEqual(
    [...SOURCES],
    [
      ['meterloom-questdb', 'grafana-postgresql-datasource'],
      ['meterloom-prometheus', 'prometheus'],
    ],
  )
  assert.ok(sources.includes(`url: 127.0.0.1:${SETTINGS.questdbPgPort.default}\n    user: user\n`))
  const provider = filesOf(GRAFANA_FOLDER, 'provisioning/dashboards/*.yml')[0]!
  assert.match(readFileSync(provider, 'utf8'), /^ +path: \$METERLOOM_DASHBOARDS$/m)
})

test('the dashboards have names and panels of their own', () => {
  const all = dashboards()
  assert.deepEqual(
    all.map(({ file, uid }) => [file, uid]),
    [
      ['fleet.json', 'meterloom-fleet'],
      ['pipeline.json', 'meterloom-pipeline'],
    ],
  )
  for (const { file, panels } of all) {
    for (const field of ['id', 'title'] as const) {
      const values = panels.map((panel) => panel[field])
      assert.equal(new Set(values).size, values.length, `${file}: each ${field} once`)
    }
  }
})

for (const dashboard of dashboards()) {
  test(`${dashboard.file}: each panel says what it shows, of which source, in which unit`, () => {
    for (const panel of panelsOf(dashboard)) {
      const { title, description = '', datasource, fieldConfig, targets = [] } = panel
      assert.ok(description.length > 2, `${title} has no description`)
      assert.ok(UNITS.includes(fieldConfig?.defaults.unit ?? ''), `${title} has no unit`)
      assert.equal(SOURCES.get(datasource!.uid), datasource!.type, title)
      assert.ok(targets.length > 0, `${title} asks nothing`)
      const refs = targets.map(({ refId }) => refId)
      assert.equal(new Set(refs).size, refs.length, title)
      for (const { datasource: own, rawSql, expr } of targets) {
        assert.deepEqual(own, datasource, title)
        assert.ok((own.type === 'prometheus' ? expr : rawSql) !== undefined, title)
      }
    }
  })

  test(`${dashboard.file}: panels fill the grid without lying over each other`, () => {
    for (const [a, b] of overlapping(dashboard)) assert.fail(`${a} lies over ${b}`)
    for (const { title, gridPos } of dashboard.panels) {
      assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, title)
    }
  })

  test(`${dashboard.file}: variables have labels, and only known ones are used`, () => {
    const { list } = dashboard.templating
    for (const { name, label, datasource } of list) {
      assert.ok(label !== '', name)
      assert.equal(SOURCES.get(datasource.uid), datasource.type)
    }
    const asked = [
      ...list.map(({ query }) => query),
      ...panelsOf(dashboard).flatMap(({ targets }) => {
        return targets!.map(({ rawSql, expr }) => rawSql ?? expr!)
      }),
    ].join('\n')
    const used = new Set([...asked.matchAll(/\$(?!__)(\w+)/g)].map(([, name]) => name!))
    assert.deepEqual([...used].sort(), list.map(({ name }) => name).sort())
  })
}

function overlapping({ panels }: Dashboard): readonly (readonly [string, string])[] {
  return panels.flatMap((a, i) =>
    panels.slice(i + 1).flatMap((b) => {
      const [p, q] = [a.gridPos, b.gridPos]
      const beside = p.x + p.w <= q.x || q.x + q.w <= p.x
      const above = p.y + p.h <= q.y || q.y + q.h <= p.y
      return beside || above ? [] : [[a.title, b.title] as const]
    }),
  )
}
