import { type Config, SETTINGS } from '../../src/kernel/config.ts'
import type { Scope } from '../support/database.ts'
import { startPipeline, type PipelineUnderTest } from '../support/pipeline.ts'
import { spawnRole } from '../support/roles.ts'
import { type PrometheusUnderTest, startPrometheus } from './prometheus.ts'

const TOKEN = 'a long random string of this test'

/** Every role as a process, with a scrape token, and the ports that they have. */
export async function startAllRoles(
  scope: Scope,
  overrides: Partial<Config> = {},
): Promise<{ pipeline: PipelineUnderTest; ports: ReadonlyMap<number, number> }> {
  const pipeline = await startPipeline(scope, { overrides: { scrapeToken: TOKEN, ...overrides } })
  const { config } = pipeline
  const others = (['worker', 'api'] as const).map((role) => spawnRole(scope, role, config))
  await Promise.all(others.map((role) => role.ready()))
  const names = ['bridgeOpsPort', 'processorOpsPort', 'workerOpsPort', 'apiPort'] as const
  const ports = new Map(names.map((name) => [Number(SETTINGS[name].default), config[name]]))
  return { pipeline, ports }
}

/** The same, and a Prometheus that scrapes them. */
export async function startStack(
  scope: Scope,
  overrides: Partial<Config> = {},
): Promise<{ pipeline: PipelineUnderTest; prometheus: PrometheusUnderTest }> {
  const { pipeline, ports } = await startAllRoles(scope, overrides)
  return { pipeline, prometheus: await startPrometheus(scope, { ports, token: TOKEN }) }
}
