/**
 * A real PostgreSQL server for development and tests, from the binaries that npm ships.
 *
 * @module pg-sessions/embedded-postgres
 */
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.ts'
export { startEmbeddedPostgres } from './embedded-postgres.ts'
