import { TransactionOpenError } from '../waiting/transaction-open.ts'
import type { PgliteLike, PgliteQueryOptions } from './client.ts'

const TEXT_TYPE = 25

/** PGlite picks both by type. Columns are text, but a parameter has whatever type the server infers. */
const serializers = new Proxy<PgliteQueryOptions['serializers']>({}, { get: () => String })

const asText: PgliteQueryOptions = { parsers: { [TEXT_TYPE]: String }, serializers }

/** Makes query options that also look, before anything else can run, whether a transaction is open. */
export function queryOptions(db: PgliteLike | null): {
  readonly options: PgliteQueryOptions
  /** False for an answer without rows, and for a database that does not tell. */
  wasInTransaction(): boolean
} {
  if (db?.isInTransaction === undefined) return { options: asText, wasInTransaction: () => false }
  let isOpen = false
  const read = (text: string): string => {
    isOpen ||= db.isInTransaction?.() === true
    return text
  }
  const options = { parsers: { [TEXT_TYPE]: read }, serializers }
  return { options, wasInTransaction: () => isOpen }
}

/**
 * Refuses to use a database on which the application has run `begin` by itself. One of PGlite's own transactions is waited
 * for: it keeps all other statements out until it ends.
 *
 * @throws {TransactionOpenError} Nothing was sent.
 */
export async function refuseOpenTransaction(db: PgliteLike): Promise<void> {
  if (db.isInTransaction?.() !== true) return
  const { options, wasInTransaction } = queryOptions(db)
  await db.query(`select ''::text as none`, [], options).catch((error: unknown) => {
    // A transaction that has failed takes no statement.
    if (Object(error).code !== '25P02') throw error
    throw openOnPglite()
  })
  if (wasInTransaction()) throw openOnPglite()
}

/** @param code - `ECONNABORTED` for a statement that ran in the transaction. */
export function openOnPglite(code?: 'ECONNABORTED'): TransactionOpenError {
  const advice = 'begin it with db.transaction(async (tx) => …)'
  return new TransactionOpenError('the database given to fromPglite', advice, code)
}
