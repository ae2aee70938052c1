import { relative } from 'node:path'
import { Pool } from 'pg'
import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
import type { DemoOptions } from './command-line.ts'

export interface Database {
  readonly pool: Pool
  /** For people: which server it is, and where its data lies. */
  readonly description: string
  close(): Promise<void>
}

/** Connects to the server that `DATABASE_URL` names, or starts one that keeps its data. */
export async function openDatabase(
  { databaseUrl, dataDirectory }: DemoOptions,
  onProgress: (message: string) => void,
): Promise<Database> {
  if (databaseUrl !== undefined) {
    const pool = new Pool({ connectionString: databaseUrl })
    return {
      pool,
      description: 'the database that DATABASE_URL names, schema sessions_demo',
      close: () => pool.end(),
    }
  }
  const server = await startEmbeddedPostgres({ dataDirectory, onProgress })
  const pool = new Pool({ connectionString: server.url })
  const folder = relative(process.cwd(), dataDirectory)
  return {
    pool,
    description: `PostgreSQL ${server.version}, kept in ${folder.startsWith('..') ? dataDirectory : folder}`,
    async close() {
      await pool.end()
      await server.stop()
    },
  }
}
