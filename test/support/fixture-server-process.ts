/** The application of tests in a process of its own: says where it is, and ends with its stdin. */
import { once } from 'node:events'
import { type FixtureSettings, startFixtureServer } from './fixture-server.ts'

const settings: FixtureSettings = JSON.parse(process.env.FIXTURE_SETTINGS ?? '{}')
const server = await startFixtureServer(process.env.DATABASE_URL ?? '', settings, (text) =>
  process.stderr.write(text),
)
process.stdout.write(`${server.url}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
await server.stop()
