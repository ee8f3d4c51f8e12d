import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { filesOf, GRAFANA_FOLDER } from './files.ts'

/** Grafana's dashboards as far as the tests read them. */

export interface DataSource {
  readonly type: string
  readonly uid: string
}

export interface Query {
  readonly refId: string
  readonly datasource: DataSource
  readonly rawSql?: string
  readonly format?: string
  readonly expr?: string
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly datasource?: DataSource
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string }
    readonly overrides: readonly { readonly matcher: { readonly options: string } }[]
  }
  readonly targets?: readonly Query[]
}

export interface Variable {
  readonly name: string
  readonly label: string
  readonly query: string
  readonly multi: boolean
  readonly datasource: DataSource
}

export interface Dashboard {
  readonly file: string
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
}

export function dashboards(): readonly Dashboard[] {
  return filesOf(GRAFANA_FOLDER, 'dashboards/*.json').map((file) => {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Omit<Dashboard, 'file'>
    return { file: basename(file), ...read }
  })
}

/** Panels with queries: rows have none. */
export const panelsOf = ({ panels }: Dashboard) => panels.filter(({ type }) => type !== 'row')

export interface Substitution {
  readonly from: string
  readonly to: string
  /** What a person has chosen; several where the variable allows it. */
  readonly variables: ReadonlyMap<string, readonly string[]>
  /** Variables of which several may be chosen: Grafana puts quotes around each. */
  readonly multi: ReadonlySet<string>
}

const NAME = /\$(?:\{(\w+)\}|(\w+))/g

/** What Grafana makes of a query before it sends it. @throws Where a variable is none of ours. */
export function substituted(query: string, { from, to, variables, multi }: Substitution): string {
  return query
    .replace(/\$__timeFilter\(([^)]*)\)/g, (_, column) => `${column} BETWEEN '${from}' AND '${to}'`)
    .replace(/\$__interval\b/g, '1m')
    .replace(/\$__rate_interval\b/g, '1m')
    .replace(NAME, (_, braced?: string, bare?: string) => {
      const name = braced ?? bare!
      const chosen = variables.get(name)
      if (chosen === undefined) throw new Error(`nobody knows $${name} in: ${query}`)
      return multi.has(name) ? chosen.map((value) => `'${value}'`).join() : chosen[0]!
    })
}
