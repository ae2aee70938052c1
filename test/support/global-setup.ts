import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
import type { TestProject } from 'vitest/node'
import { removeFilesOfRun } from './once-per-run.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's connection string of the PostgreSQL server that all tests of a run share. */
    postgresUrl: string
    /** Whether that server was started for this run, and ends with it. */
    isOwnServer: boolean
  }
}

/**
 * Starts one PostgreSQL server for the whole run, unless `DATABASE_URL` names one.
 * `TEST_POSTGRES_BINARIES` names other binaries, as the option of the embedded server does.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.DATABASE_URL
  project.provide('isOwnServer', !given)
  if (given) {
    project.provide('postgresUrl', given)
    return removeFilesOfRun
  }
  const binaries = process.env.TEST_POSTGRES_BINARIES
  const server = await startEmbeddedPostgres({
    settings: { max_connections: '300' },
    ...(binaries ? { binaries } : {}),
  })
  project.provide('postgresUrl', server.url)
  return async () => {
    await removeFilesOfRun()
    await server.stop()
  }
}
