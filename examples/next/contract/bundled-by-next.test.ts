import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** What Next has made of an application that says nothing of how the package is to be bundled. */
const built = fileURLToPath(new URL('bundled/.next', import.meta.url))

/** What no application needs the whole of, as `test/package/bundled.test.ts` has it. */
const OPTIONAL = /^(adapters|cli|compatibility|drivers|embedded|import|testing|haskell)\//
const USED = /^(adapters\/next|drivers\/(pg|waiting|failures))(\/|$)/

describe('bundled by Next', () => {
  let folder: string
  let files: string[]

  before(async () => {
    // Away from the repository, so that nothing of it can be found.
    folder = await mkdtemp(join(tmpdir(), 'pg-sessions-next-'))
    await cp(join(built, 'standalone'), folder, { recursive: true, verbatimSymlinks: true })
    files = await readdir(folder, { recursive: true })
  })

  after(() => rm(folder, { recursive: true, force: true }))

  it('the application makes its tables and keeps a session, without the package on disk', async () => {
    assert.deepEqual(
      files.filter((file) => /(^|\/)pg-sessions(\/|$)/.test(file)),
      [],
    )
    const server = files.find((file) => /^(?!.*node_modules).*server\.js$/.test(file)) ?? ''
    const { origin, stop } = await start(join(folder, server))
    try {
      const put = await fetch(`${origin}/basket`, { method: 'POST', redirect: 'manual' })
      assert.equal(put.status, 303)
      const [line = ''] = put.headers.getSetCookie()
      const cookie = line.split(';')[0] ?? ''
      const read = await fetch(`${origin}/basket`, { headers: { cookie } })
      assert.equal(await read.text(), 'book')
    } finally {
      await stop()
    }
  })

  it('the application carries the adapter and the driver that it uses, and no other', async () => {
    const carried = await carriedModules()
    for (const name of [
      'adapters/next',
      'drivers/pg',
      'postgres/migrations/0001-create-sessions',
    ]) {
      assert.ok(carried.has(name), `${name} is in the bundle`)
    }
    const others = [...carried].filter((name) => OPTIONAL.test(name) && !USED.test(name))
    assert.deepEqual(others, [])
    assert.ok(!carried.has('store/memory-store'), 'the memory store is not in the bundle')
  })
})

/** The modules of the package that the source maps of the server's chunks name. */
async function carriedModules(): Promise<Set<string>> {
  const chunks = join(built, 'server')
  const maps = (await readdir(chunks, { recursive: true })).filter((file) => file.endsWith('.map'))
  const texts = await Promise.all(maps.map((file) => readFile(join(chunks, file), 'utf8')))
  const sources = texts.flatMap((text) => [
    ...text.matchAll(/"(?:\.\.\/)+(?:src|dist)\/([^"\n]+)\.[jt]s"/g),
  ])
  return new Set(sources.map(([, path = '']) => path))
}

async function start(server: string): Promise<{ origin: string; stop(): Promise<void> }> {
  const port = await freePort()
  const child = spawn(process.execPath, [server], {
    cwd: dirname(server),
    env: {
      DATABASE_URL: process.env.DATABASE_URL,
      HOSTNAME: '127.0.0.1',
      PORT: String(port),
      NODE_ENV: 'production',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await closed
  }
  const origin = `http://127.0.0.1:${port}`
  await untilItListens(child, origin)
  return { origin, stop }
}

async function untilItListens(child: ChildProcess, origin: string): Promise<void> {
  const written: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => written.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => written.push(chunk))
  while (true) {
    assert.equal(child.exitCode, null, `It has stopped:\n${Buffer.concat(written)}`)
    const answer = await fetch(`${origin}/nowhere`).catch(() => undefined)
    if (answer !== undefined) return void (await answer.text())
    await setTimeout(50)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}
