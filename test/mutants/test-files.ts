/** The store contract on PostgreSQL, one call at a time. */
export const CONTRACT = 'test/store/postgres-store.test.ts'
/** The same where every call shares its statement with others. */
export const IN_COMPANY = 'test/store/postgres-store-in-company.test.ts'
/** What concerns shared statements alone. */
export const SHARED = 'test/postgres/shared-statements.test.ts'
export const BATCHER = 'test/postgres/batcher.test.ts'
/** What two processes do at once. */
export const RACES = 'test/races/races.test.ts'
