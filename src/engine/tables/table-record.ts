import type { Micros } from '../../kernel/time.ts'
import type { OutgoingRecord } from '../../log/log.ts'
import { engineErrors } from '../errors.ts'
import type { TableDeclaration, TableRow, TableShape } from './nodes.ts'

/**
 * A row of a table as a record of its topic. The value is JSON, an object with the declared fields,
 * since a table's form is its declaration; null takes the row away. The key is the table's key; of
 * an effective-dated table `key@validFrom`, microseconds UTC, so that compaction keeps every date.
 */
export interface TableEntry {
  readonly key: string
  /** -Infinity of a table that is not effective-dated. */
  readonly validFrom: Micros
  readonly row: TableRow<TableShape> | null
}

/** @throws engine.badTableRow where the row is not what the table declares. */
export function tableRecord<S extends TableShape>(
  table: TableDeclaration<S>,
  key: string,
  row: TableRow<S> | null,
  validFrom?: Micros,
): OutgoingRecord {
  const dated = table.mode === 'effective-dated'
  if (dated !== (validFrom !== undefined) || (row !== null && !fits(table.fields, row))) {
    throw engineErrors.badTableRow({ topic: table.topic, key, row: JSON.stringify(row) })
  }
  return {
    key: Buffer.from(dated ? `${key}@${validFrom}` : key),
    value: row === null ? null : Buffer.from(JSON.stringify(row)),
    partition: 0,
  }
}

/** Undefined where the record is no row of the table. */
export function readEntry(
  table: TableDeclaration,
  key: string,
  value: string | null,
): TableEntry | undefined {
  const dated = table.mode === 'effective-dated'
  const at = dated ? key.lastIndexOf('@') : key.length
  const validFrom = dated ? Number(key.slice(at + 1)) : -Infinity
  if (at < 1 || (dated && !Number.isSafeInteger(validFrom))) return undefined
  const row = value === null ? null : parsed(value)
  if (row !== null && !fits(table.fields, row)) return undefined
  return { key: key.slice(0, at), validFrom, row }
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

const TYPES = { number: 'number', text: 'string', flag: 'boolean' } as const

function fits(fields: TableShape, row: unknown): row is TableRow<TableShape> {
  if (typeof row !== 'object' || row === null) return false
  return Object.entries(fields).every(([name, type]) => {
    const value = (row as Record<string, unknown>)[name]
    return typeof value === TYPES[type]
  })
}
