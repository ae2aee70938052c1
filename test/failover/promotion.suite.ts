import pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { Visitor } from '../support/each-store-visitor.ts'
import { type ServerPair, startServerPair } from './server-pair.ts'

interface Application extends AsyncDisposable {
  readonly driver: Driver
}

/** How a client finds the new primary: by a switch in front of both, or by itself. */
const clients: Record<string, (pair: ServerPair, proxy: FaultProxy) => Application> = {
  'pg behind a TCP switch': (_, proxy) => {
    const pool = new pg.Pool({
      connectionString: proxy.url,
      max: 10,
      connectionTimeoutMillis: 1000,
    })
    return { driver: fromPg(pool), [Symbol.asyncDispose]: () => pool.end() }
  },
  'postgres.js behind a TCP switch': (_, proxy) => {
    const sql = postgres(proxy.url, { max: 10, connect_timeout: 1, onnotice: () => {} })
    const end = () => sql.end({ timeout: 1 })
    return { driver: fromPostgresJs(sql), [Symbol.asyncDispose]: end }
  },
  'postgres.js with both hosts': ({ primary, standby }) => {
    const sql = postgres({
      host: ['127.0.0.1', '127.0.0.1'],
      port: [primary.port, standby.port],
      user: 'postgres',
      database: 'postgres',
      max: 10,
      connect_timeout: 1,
      target_session_attrs: 'read-write',
      onnotice: () => {},
    } as object)
    const end = () => sql.end({ timeout: 1 })
    return { driver: fromPostgresJs(sql), [Symbol.asyncDispose]: end }
  },
}

/** Visitors who come one after another, each of whom is told that a value is saved, or that it is not. */
class Load {
  readonly acknowledged: { readonly id: string; readonly at: number }[] = []
  readonly failures: unknown[] = []
  #isOver = false
  readonly #workers: Promise<void>[]

  constructor(sessions: Sessions, workers: number) {
    this.#workers = Array.from({ length: workers }, () => this.#work(sessions))
  }

  /** Resolves once that many more have been told that their value is saved. */
  async until(more: number): Promise<void> {
    const count = this.acknowledged.length + more
    while (this.acknowledged.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#workers)
  }

  async #work(sessions: Sessions): Promise<void> {
    while (!this.#isOver) {
      const visitor = new Visitor(sessions)
      try {
        const id = await visitor.visit((session) => {
          session.set('note', 'milk')
          return session
        })
        this.acknowledged.push({ id: id.id ?? '', at: performance.now() })
      } catch (error) {
        this.failures.push(error)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }
}

async function openAll({ withConnection }: Driver): Promise<void> {
  let left = 10
  let open = (): void => {}
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  const loans = Array.from({ length: left }, () =>
    withConnection(async (connection) => {
      await connection.run('select 1')
      left -= 1
      if (left === 0) open()
      await all
    }),
  )
  await Promise.all(loans)
}

async function countOf(pair: ServerPair, ids: readonly string[]): Promise<number> {
  const list = ids.map((id) => `'${id}'`).join(', ')
  const [row] = await pair.standby.query(
    `select count(*)::int as count from sessions.session where id in (${list})`,
  )
  return Number(row?.['count'])
}

async function untilReadOnly({ primary }: ServerPair): Promise<void> {
  const text = `select current_setting('default_transaction_read_only') as setting`
  while ((await primary.query(text))[0]?.['setting'] !== 'on');
}

describe.each([
  ['synchronous', true],
  ['asynchronous', false],
])('%s replication, a standby is promoted under load', (kind, synchronous) => {
  test.each(Object.entries(clients))('%s', async (name, open) => {
    await using pair = await startServerPair({ synchronous })
    await using proxy = await startFaultProxy(pair.primary.url)
    await using application = open(pair, proxy)
    const sessions = createSessions({ database: application.driver, deadline: '5s', log: false })
    await sessions.ready()
    const load = new Load(sessions, 8)
    await load.until(200)

    const failed = performance.now()
    await pair.primary.crash()
    await pair.standby.promote()
    const promoted = performance.now()
    proxy.redirect({ host: '127.0.0.1', port: pair.standby.port })
    proxy.cut()
    await load.until(200)
    await load.stop()

    const first = load.acknowledged.find(({ at }) => at > promoted)
    const ids = load.acknowledged.map(({ id }) => id)
    const lost = ids.length - (await countOf(pair, ids))
    const wait = Math.round((first?.at ?? Number.NaN) - promoted)
    console.log(
      `${kind}, ${name}: ${ids.length} saves acknowledged, ${lost} lost, ${load.failures.length} refused; first save ${wait} ms after the promotion, which took ${Math.round(promoted - failed)} ms`,
    )
    if (synchronous) expect(lost).toBe(0)
    for (const error of load.failures) {
      expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    }
    await sessions.close()
  })
})

describe('a primary that has become read-only, with its connections open', () => {
  test.each(Object.entries(clients).slice(0, 2))(
    '%s: calls leave it for the new primary, and none fails',
    async (_, open) => {
      await using pair = await startServerPair({ synchronous: false })
      await using proxy = await startFaultProxy(pair.primary.url)
      await using application = open(pair, proxy)
      const sessions = createSessions({ database: application.driver, deadline: '5s', log: false })
      await sessions.ready()
      const load = new Load(sessions, 8)
      await load.until(100)
      await load.stop()
      // All connections that the client may have are open, and idle.
      await openAll(application.driver)
      await pair.primary.query('alter system set default_transaction_read_only = on')
      await pair.standby.promote()
      proxy.redirect({ host: '127.0.0.1', port: pair.standby.port })
      await pair.primary.query('select pg_reload_conf()')
      await untilReadOnly(pair)

      const after = new Load(sessions, 8)
      await after.until(100)
      await after.stop()
      expect(after.failures).toEqual([])
      const ids = after.acknowledged.map(({ id }) => id)
      expect(await countOf(pair, ids)).toBe(ids.length)
      await sessions.close()
    },
  )
})
