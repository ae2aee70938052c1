/** Does what the pages of frameworks say, in the frameworks' own starters: `npm run test:starters -- --help`. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
import { packPackage } from './pack-package.ts'
import { StarterError, testStarter } from './starter.ts'
import { type Starter, starters } from './starters.ts'

const names = starters.map(({ name }) => name)

const help = `Usage: npm run test:starters [-- [--only <framework>]... [--keep]]

Makes each framework's own starter in a temporary folder, as the framework's page in docs/frameworks
says, installs the packed package, writes the page's files, and signs in and out over HTTP, on the
development server and on the built application, on a real PostgreSQL server. The starter's own
configuration checks the types.

It takes the newest versions, so it can fail without a change here: then the page needs one.

  --only <framework>   one of ${names.join(', ')}
  --keep               leaves the folders, and says where they are
`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const { only = [], keep, help: asksForHelp } = values
  if (asksForHelp) {
    console.log(help)
    return 0
  }
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    console.error(`There is no starter "${unknown}".\n\n${help}`)
    return 2
  }
  const chosen = starters.filter(({ name }) => only.length === 0 || only.includes(name))
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-starters-'))
  try {
    return await testAll(chosen, folder)
  } finally {
    if (keep) console.log(`The starters are in ${folder}.`)
    else await rm(folder, { recursive: true, force: true })
  }
}

async function testAll(chosen: readonly Starter[], folder: string): Promise<number> {
  const { tarball } = await packPackage(folder)
  const server = await startEmbeddedPostgres()
  let [passed, failed] = [0, 0]
  try {
    for (const starter of chosen) {
      const start = performance.now()
      const place = join(folder, starter.name)
      await mkdir(place)
      const databaseUrl = await createDatabase(server.url, starter.name)
      const result = await testStarter(starter, { folder: place, tarball, databaseUrl }).catch(
        (error: unknown) => error,
      )
      const isOk = Array.isArray(result)
      if (!isOk) console.log(textOf(result).replaceAll(/^/gm, '     '))
      const seconds = ((performance.now() - start) / 1000).toFixed(0)
      console.log(`${isOk ? 'ok  ' : 'FAIL'} ${starter.name.padEnd(16)} ${seconds} s`)
      if (isOk) for (const note of result) console.log(`     with ${note}`)
      if (isOk) passed += 1
      else failed += 1
    }
  } finally {
    await server.stop()
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

function textOf(error: unknown): string {
  if (error instanceof StarterError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const url = new URL(serverUrl)
  const database = `starter_${name.replaceAll('-', '_')}`
  url.pathname = `/${database}`
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    await client.query(`create database ${database}`)
  } finally {
    await client.end()
  }
  return url.href
}

process.exitCode = await main()
