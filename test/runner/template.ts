import pg from 'pg'

/** The database that each test file's own one is cloned from. */
export const TEMPLATE_DATABASE = 'meterloom_template'

/** Extensions that the domain's tables are made with; only a superuser may create them. */
const EXTENSIONS = ['btree_gist', 'pg_trgm', 'citext']

/** Makes the template where it is missing. Several runs may share one server. */
export async function ensureTemplate(databaseUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  try {
    // Two runs at once must not both create it.
    await admin.query('SELECT pg_advisory_lock(hashtext($1))', [TEMPLATE_DATABASE])
    const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [
      TEMPLATE_DATABASE,
    ])
    if (found.rowCount === 0) await admin.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`)
    await addExtensions(databaseUrl)
  } finally {
    await admin.end()
  }
}

async function addExtensions(databaseUrl: string): Promise<void> {
  const url = new URL(databaseUrl)
  url.pathname = `/${TEMPLATE_DATABASE}`
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    for (const name of EXTENSIONS) await client.query(`CREATE EXTENSION IF NOT EXISTS ${name}`)
  } finally {
    // A database with a connection in it cannot be cloned.
    await client.end()
  }
}
