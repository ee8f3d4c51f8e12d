import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from './eventually.ts'
import { metricsOf, type PrometheusUnderTest, startPrometheus } from './prometheus.ts'
import { startAllRoles, startStack } from './stack.ts'

test('Prometheus sees every role, and every metric that a rule names is there', async (t) => {
  const { pipeline, prometheus } = await startStack(t)
  await eventually('every role is up', async () => {
    assert.deepEqual(await health(prometheus), ['api up', 'bridge up', 'processor up', 'worker up'])
  })
  // Rates need to see it grow.
  const published = await pipeline.cli(
    ...['simulate', '--meters', '4', '--start', '2026-03-01T00:00:00Z', '--duration', '2h'],
    ...['--speed', 'max', '--url', pipeline.mqttUrl, '--json'],
  )
  assert.equal(published.code, 0, published.stderr)
  // The worker asks for the lag each five seconds.
  await eventually('every metric of a rule is there', async () => {
    const names = await prometheus.metricNames()
    const rules = await prometheus.rules()
    assert.ok(rules.length >= 40, `only ${rules.length} rules`)
    for (const { name, query, health, lastError } of rules) {
      assert.equal(health, 'ok', `${name}: ${lastError ?? ''}`)
      const metrics = metricsOf(query)
      assert.ok(metrics.length > 0, `${name} asks for no metric`)
      const missing = metrics.filter((metric) => !names.has(metric))
      assert.deepEqual(missing, [], name)
    }
  })
  const firing = await prometheus.query('ALERTS{alertstate="firing"}')
  assert.deepEqual(firing, [], 'a stack that is well has no alert that fires')
})

test('without the token no role tells Prometheus anything', async (t) => {
  const { ports } = await startAllRoles(t)
  const prometheus = await startPrometheus(t, { ports })
  await eventually('every role refuses', async () => {
    const refused = 'down server returned HTTP status 401 Unauthorized'
    const roles = ['api', 'bridge', 'processor', 'worker']
    assert.deepEqual(
      await health(prometheus),
      roles.map((role) => `${role} ${refused}`),
    )
  })
})

/** `role health error` of each target. */
async function health(prometheus: PrometheusUnderTest): Promise<readonly string[]> {
  const targets = await prometheus.targets()
  return targets
    .map(({ labels, health, lastError }) => `${labels['role']!} ${health} ${lastError}`.trim())
    .sort()
}

test('the metrics of an expression are found, and nothing else', () => {
  const expression =
    'sum by (instance, le) (rate(a_total{outcome!="x"}[5m] offset 10m)) > on (b) c:d:sum ' +
    'and x_seconds or vector(0)'
  assert.deepEqual(metricsOf(expression), ['a_total', 'c:d:sum', 'x_seconds'])
})
