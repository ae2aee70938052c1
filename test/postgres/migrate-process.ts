/** A process that waits for its start signal on stdin, migrates, and says what it found. */
import { once } from 'node:events'
import pg from 'pg'
import { fromPg } from '../../src/drivers/pg.ts'
import { migrate } from '../../src/postgres/migrate.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL ?? '' })
process.stdout.write('waiting\n')
await once(process.stdin, 'data')
process.stdin.destroy()
const result = await migrate(fromPg(pool), resolveTableNames(), { timeout: 30_000 })
process.stdout.write(`${JSON.stringify(result)}\n`)
await pool.end()
