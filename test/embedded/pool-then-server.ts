/** Started by tests: ends a pool and then the server, as a teardown does, several times. */
import { Pool } from 'pg'
import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'

for (let round = 0; round < 4; round += 1) {
  const server = await startEmbeddedPostgres()
  const pool = new Pool({ connectionString: server.url, max: 20 })
  await Promise.all(Array.from({ length: 20 }, () => pool.query('select pg_sleep(0.01)')))
  await pool.end()
  await server.stop()
}
console.log('stopped')
