/** QuestDB as tests use it, over HTTP: `questdbUrl` with user and password, as in the settings. */

/** Runs one statement. @returns Its rows, each an array of column values. */
export async function questdbQuery(
  questdbUrl: string,
  statement: string,
): Promise<readonly (readonly unknown[])[]> {
  const url = new URL('/exec', questdbUrl)
  const headers = { authorization: `Basic ${btoa(`${url.username}:${url.password}`)}` }
  url.username = ''
  url.password = ''
  url.searchParams.set('query', statement)
  const response = await fetch(url, { headers })
  const answer = (await response.json()) as { dataset?: unknown[][]; error?: string }
  if (!response.ok) throw new Error(`QuestDB refuses '${statement}': ${answer.error ?? ''}`)
  return answer.dataset ?? []
}

/** Drops every table and view that bears the prefix of a test. */
export async function dropTables(config: {
  readonly questdbUrl: string
  readonly tablePrefix: string
}): Promise<void> {
  const { questdbUrl, tablePrefix } = config
  if (tablePrefix === '') throw new TypeError('without a prefix, these are not tables of a test')
  const all = await questdbQuery(questdbUrl, 'select table_name, table_type from tables()')
  for (const [name, type] of all) {
    if (!String(name).startsWith(tablePrefix)) continue
    const kind = type === 'M' ? 'materialized view' : 'table'
    await questdbQuery(questdbUrl, `drop ${kind} '${String(name)}'`)
  }
}
