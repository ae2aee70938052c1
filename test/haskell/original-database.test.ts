import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { waiSettings } from 'pg-sessions/haskell'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { OriginalSide } from './original-side.ts'
import { codec, dump, expected, type Texts } from './shared-database.ts'

/** A database that the original wrote, read by us: through the store, and with its cookies over HTTP. */

let database: TestDatabase
let pool: pg.Pool
let sessions: Sessions<Texts>

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  await database.query(dump)
})
beforeEach(async () => {
  await sessions?.close()
  await database.query('drop table wai_pg_session_data, wai_pg_sessions')
  await database.query(dump)
  await database.query(
    `update wai_pg_sessions set session_last_access = session_last_access + extract(epoch from now())::bigint - ${expected.t0}`,
  )
  sessions = createSessions<Texts>({
    ...waiSettings({
      database: fromPg(pool),
      timeout: '1h',
      cookie: { name: 'SESSION', secure: false },
      loginTime: '1ms',
      codec,
    }),
    log: false,
  })
})
afterAll(async () => {
  await sessions.close()
  await pool.end()
  await database.drop()
})

const [live, ended] = [
  expected.sessions.filter(({ state }) => !state.startsWith('expired')),
  expected.sessions.filter(({ state }) => state.startsWith('expired')),
]

function asObject(data: readonly (readonly [string, string])[]): Texts {
  return Object.fromEntries(data)
}

async function read(cookie: string): Promise<{ data: Texts; setCookies: readonly string[] }> {
  const exchange = sessions.open(cookie)
  const data = Object.fromEntries(await exchange.session.entries())
  const { setCookies } = await exchange.commit()
  return { data, setCookies }
}

describe("the original's database", () => {
  it('holds sessions of every state', () => {
    expect([live.length, ended.length]).toEqual([6, 1])
  })

  it.each(live)('is read as the original reads it: $state', async ({ sessionKey, data }) => {
    expect((await read(`SESSION=${sessionKey}`)).data).toEqual(asObject(data))
  })

  it.each(ended)('has nothing for anybody: $state', async ({ sessionKey }) => {
    const before = await database.query('select * from wai_pg_sessions order by id')
    expect(await read(`SESSION=${sessionKey}`)).toEqual({ data: {}, setCookies: [] })
    expect(await database.query('select * from wai_pg_sessions order by id')).toEqual(before)
  })

  it('gives a session that was left flagged another key and keeps its data, and leaves the others theirs', async () => {
    for (const { sessionKey, data, state } of live) {
      const first = await read(`SESSION=${sessionKey}`)
      expect(first.setCookies, 'a flag is fresh when it is first seen').toEqual([])
      await database.query('select pg_sleep(0.002)')
      const { setCookies } = await read(`SESSION=${sessionKey}`)
      if (!state.startsWith('flagged')) {
        expect(setCookies, state).toEqual([])
        continue
      }
      const key = /^SESSION=([0-9a-f]{48});/.exec(setCookies[0] ?? '')?.[1]
      expect(key, state).toBeDefined()
      expect((await read(`SESSION=${key}`)).data).toEqual(asObject(data))
      expect(await read(`SESSION=${sessionKey}`), 'the old key').toEqual({
        data: {},
        setCookies: [],
      })
      expect(await (await new OriginalSide(pool).open(key ?? '')).getNewCookie()).toBe(key)
    }
  })

  it('is served with its old cookies by an Express application', async () => {
    const app = express()
    app.use(expressSessions(sessions))
    app.get('/', async (req, res) => {
      res.json(Object.fromEntries(await req.session.entries()))
    })
    app.get('/set', (req, res) => {
      const write = req.session.set.bind(req.session) as (key: string, value: string) => void
      write('seen', 'héllo 😀')
      res.redirect('/')
    })
    const server = app.listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const get = (path: string, cookie: string): Promise<Response> =>
        fetch(origin + path, { headers: { cookie }, redirect: 'manual' })

      for (const { sessionKey, data } of live) {
        const response = await get('/', `theme=dark; SESSION=${sessionKey}`)
        expect(await response.json()).toEqual(asObject(data))
      }
      for (const { sessionKey } of ended) {
        const response = await get('/', `SESSION=${sessionKey}`)
        expect(await response.json()).toEqual({})
        expect(response.headers.getSetCookie()).toEqual([])
      }

      const [first] = live
      const key = String(first?.sessionKey)
      const changed = await get('/set', `SESSION=${key}; SESSION=other`)
      expect(changed.headers.getSetCookie(), 'the key has not changed').toEqual([])
      const original = await new OriginalSide(pool).open(key)
      expect(await original.lookup('seen')).toBe('héllo 😀')
      expect(await original.lookup('u')).toBe('["c"]')
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
