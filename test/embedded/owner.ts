/** Started by tests: starts a server, says where it is, and ends without stopping it when told. */
import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'

const { url, pid, dataDirectory } = await startEmbeddedPostgres(
  JSON.parse(process.env.OPTIONS ?? '{}'),
)
console.log(JSON.stringify({ url, pid, dataDirectory }))
process.stdin.once('data', () => process.exit(0))
