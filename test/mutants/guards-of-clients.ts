import type { MutantGroup } from './mutant.ts'

const SPOILT = 'test/drivers/pg-spoilt-connections.test.ts'

/** What others have done to a connection or to the tables. */
export const clientMutants: readonly MutantGroup[] = [
  {
    file: 'src/drivers/pg/pool.ts',
    tests: [SPOILT],
    mutants: [
      {
        without: 'the look at the encoding of a client from the pool',
        from: 'return isInTransaction(client) || isGarbling(client)',
        to: 'return isInTransaction(client)',
      },
    ],
  },
  {
    file: 'src/drivers/waiting/about-statement.ts',
    tests: [SPOILT],
    mutants: [
      {
        without: 'another client after a right that is missing',
        from: "['42P05', '42501']",
        to: "['42P05']",
      },
    ],
  },
  {
    file: 'src/drivers/pg/single-connection.ts',
    tests: [SPOILT],
    mutants: [
      {
        without: 'the look for a transaction of the application',
        from: 'if (isInTransaction(client)) throw transactionOpen()',
        to: '',
      },
    ],
  },
  {
    file: 'src/postgres/transaction/postgres-transaction.ts',
    tests: ['test/transactions/each-client.test.ts'],
    mutants: [
      {
        without: 'the look for sessions that a transaction does not see',
        from: 'if (missed.length > 0) throw unseen(missed.length, hasOldSnapshot)',
        to: '',
      },
      {
        without: 'the mark of a transaction whose client does not tell of its end',
        from: 'if (!this.#transaction.outlivesItsEnd) return',
        to: 'return',
      },
    ],
  },
  {
    file: 'src/drivers/pglite/open-transaction.ts',
    tests: ['test/drivers/pglite.test.ts'],
    mutants: [
      {
        without: 'the look for a transaction of the application before a statement',
        from: 'if (wasInTransaction()) throw openOnPglite()',
        to: '',
      },
    ],
  },
  {
    file: 'src/drivers/pglite.ts',
    tests: ['test/drivers/pglite.test.ts'],
    mutants: [
      {
        without: 'the look for a transaction of the application after a statement',
        from: "if (wasInTransaction()) throw openOnPglite('ECONNABORTED')",
        to: '',
      },
    ],
  },
  {
    file: 'src/postgres/sql-state.ts',
    tests: ['test/postgres/retries.test.ts', 'test/faults/collisions.test.ts'],
    mutants: [
      {
        without: 'patience with serialization failures',
        from: "return sqlState === '40001' || sqlState === '40P01'",
        to: "return sqlState === '40P01'",
      },
    ],
  },
  {
    file: 'src/postgres/operations/destroy.ts',
    tests: ['test/postgres/kept-sessions.test.ts'],
    mutants: [
      {
        without: 'the look whether a session has gone',
        from: "refuseKept(row.boolean('is_kept'))",
        to: '',
      },
    ],
  },
  {
    file: 'src/postgres/recognize-tables.ts',
    tests: ['test/postgres/whose-tables.test.ts'],
    mutants: [
      {
        without: 'the look for columns that were dropped',
        from: 'if (foundType === undefined) throw altered(names, table, `it has no column ${column}`)',
        to: 'if (foundType === undefined) continue',
      },
      {
        without: 'the look for types that do not work',
        from: 'if (!fits(foundType, type)) {',
        to: 'if (false) {',
      },
    ],
  },
]
