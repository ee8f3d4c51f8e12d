import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What Prometheus and Grafana are given, as files. */

const ROOT = join(import.meta.dirname, '../..')
export const PROMETHEUS_FOLDER = join(ROOT, 'infra/prometheus')
export const GRAFANA_FOLDER = join(ROOT, 'infra/grafana')
export const MONITORING_PAGE = join(ROOT, 'docs/monitoring.md')

export const PROMETHEUS_FILE = join(PROMETHEUS_FOLDER, 'prometheus.yml')
const CREDENTIALS = /^( *)# (authorization:|  type: Bearer|  credentials_file: scrape-token)$/gm

export function filesOf(folder: string, pattern: string): readonly string[] {
  return globSync(pattern, { cwd: folder })
    .sort()
    .map((name) => join(folder, name))
}

/** `prometheus.yml` as its comment says it is to be where SCRAPE_TOKEN is set. */
export function withToken(configuration: string): string {
  return configuration.replace(CREDENTIALS, '$1$2')
}

/** The alerts' names, by their file. */
export function alertNames(): readonly string[] {
  return filesOf(PROMETHEUS_FOLDER, 'rules/*.yml').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name!),
  )
}
