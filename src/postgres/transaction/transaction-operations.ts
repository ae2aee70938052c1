import {
  destroyInTransaction,
  destroySeveralInTransaction,
  markTransaction,
  type TransactionTerms,
  transactionStatus,
} from '../operations/end-in-transaction.ts'
import { BY_TAG, BY_USER } from '../operations/find-sessions.ts'
import type { StoreOperations } from '../operations/store-operations.ts'
import type { TableNames } from '../table-names.ts'
import type { TransactionOperations } from './postgres-transaction.ts'

/** The operations of a transaction: its own, and those by which the store looks at what it has done. */
export function transactionOperations(
  names: TableNames,
  { findLive, listByUser, listByTag }: StoreOperations,
  terms: TransactionTerms,
): TransactionOperations {
  return {
    destroy: destroyInTransaction(names, terms),
    destroyByUser: destroySeveralInTransaction(names, BY_USER, terms),
    destroyByTag: destroySeveralInTransaction(names, BY_TAG, terms),
    mark: markTransaction(),
    status: transactionStatus(),
    findLive,
    listByUser,
    listByTag,
  }
}
