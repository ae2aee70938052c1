import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { inspect } from 'node:util'
import { ConfigurationError, createSessions, randomToken, UnsupportedError } from 'pg-sessions'
import { WaiStore, type WaiTokenOptions, waiSettings, waiTokens } from 'pg-sessions/haskell'
import { nodeSessions } from 'pg-sessions/node'
import { fromPg } from 'pg-sessions/pg'
import { describe, expect, it } from 'vitest'
import { createTokens } from '../../src/session/token.ts'
import { ratherSecureGen } from './original-side.ts'
import { codec, eventsOf, holds, shareDatabase } from './shared-database.ts'

/** What a key is, what a cookie may hold, and what the tables cannot. */

const shared = shareDatabase()

describe('keys', () => {
  it('are made of 24 random bytes, each of which can be seen in them', () => {
    const keys = Array.from({ length: 200 }, () => waiTokens().issue().token)
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{48}$/)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('of the original are taken at every length that it makes', async () => {
    const { read } = waiTokens()
    for (let n = 0; n < 2000; n += 1) expect(read(ratherSecureGen(24))).not.toBeNull()
    for (const length of [24, 39, 48]) expect(read('a'.repeat(length))).not.toBeNull()
    for (const other of ['', 'a'.repeat(23), 'a'.repeat(49), 'A'.repeat(48), 'g'.repeat(48)]) {
      expect(read(other)).toBeNull()
    }
  })

  it('have one spelling each: upper case, quotes and encodings are other keys', async () => {
    const key = await (await shared.original.open(null)).getNewCookie()
    const sessions = shared.sessions()
    const refused = eventsOf(sessions, ['tokenRefused', 'tokenUnknown'])
    const wrong = [
      key.toUpperCase(),
      `"${key}"`,
      `%${key.charCodeAt(0).toString(16)}${key.slice(1)}`,
      `${key}0`,
      `0${key}`,
      key.slice(0, -1),
    ]
    for (const value of wrong) {
      const { session } = sessions.open(`__Host-id=${value}`)
      await session.load()
      expect(session.id).toBeNull()
    }
    expect(refused).toHaveLength(wrong.length)
  })

  it('of a generator of their own are taken and made in its form', async () => {
    await shared.pool.query(
      `insert into wai_pg_sessions (session_key, session_created_at, session_last_access)
       select 'Own.Key_1000000000' || n, extract(epoch from now()), extract(epoch from now()) from generate_series(1, 2) n`,
    )
    const keys = {
      accept: /^Own\.Key_[0-9]{11}$/,
      generate: () => `Own.Key_${10_000_000_000 + randomInt(9_999_999_999)}`,
    }
    const ann = shared.visitor('Own.Key_10000000001', { keys })
    await ann.visit((session) => session.set('a', '1'))
    expect(ann.token).toBe('Own.Key_10000000001')
    expect(await holds(ann)).toEqual({ a: '1' })
    expect(await holds(shared.visitor('Own.Key_10000000001'))).toEqual({})
    const bob = shared.visitor(null, { keys })
    await bob.visit((session) => session.set('b', '2'))
    expect(bob.token).toMatch(keys.accept)
    expect(await holds(bob), 'the next request').toEqual({ b: '2' })
    await bob.visit((session) => session.rotate())
    expect(await holds(bob)).toEqual({ b: '2' })
  })

  it('must match the form as a whole, whichever alternative they are of', () => {
    const { read } = waiTokens({
      accept: /^[a-f]{16}|[0-9a-f]{48}$/,
      generate: () => randomBytes(24).toString('hex'),
    })
    expect(read('a'.repeat(16))).not.toBeNull()
    expect(read(`${'a'.repeat(16)}zzz`)).toBeNull()
    expect(read(`zzz${'0'.repeat(48)}`)).toBeNull()
  })

  it.each<[WaiTokenOptions, string]>([
    [{ bytes: 15 }, '16 to 1024'],
    [{ bytes: 24.5 }, '16 to 1024'],
    [{ accept: /[a-z]+/ }, 'whole of a key'],
    [/^[a-z]{32}$/ as never, 'an object with accept, bytes, generate; it is a RegExp'],
    [{ accept: /^[a-z]+$/g }, 'whole of a key'],
    [{ accept: /^[a-z]+$/m }, 'whole of a key'],
    [{ accept: '^a$' as never }, 'whole of a key'],
    [{ accept: /^[A-Za-z0-9]{32}$/ }, 'Write generate'],
    [{ accept: /^[A-Z]{32}$/, generate: () => randomBytes(16).toString('hex') }, 'accept matches'],
    [{ generate: () => randomBytes(16).toString('base64url') }, 'accept matches'],
    [{ accept: /^[a-z0-9]+$/, generate: () => 'a'.repeat(32) }, 'same key twice'],
    [{ accept: /^[a-z0-9]+$/, generate: () => randomBytes(4).toString('hex') }, 'at least 16'],
    [{ accept: /^.+$/, generate: () => `${randomBytes(16).toString('hex')};` }, 'accept matches'],
    [{ generate: 'uuid' as never }, 'must be a function'],
    [{ acept: /^a$/ } as never, 'Did you mean accept'],
  ])('have options that are checked when the sessions are made: %j', (options, message) => {
    const keys = options
    for (const make of [
      () => waiTokens(options),
      () =>
        waiSettings({
          database: fromPg(shared.pool),
          timeout: '1h',
          cookie: { name: 'SESSION' },
          codec,
          keys,
        }),
    ]) {
      expect(make).toThrow(ConfigurationError)
      expect(make).toThrow(message)
    }
  })

  it('are shown by nothing that is logged or inspected', async () => {
    const sessions = shared.sessions()
    const exchange = sessions.open(null)
    exchange.session.set('a', '1')
    const { setCookies } = await exchange.commit()
    const key = /=([0-9a-f]{48});/.exec(String(setCookies[0]))?.[1] ?? ''
    expect(key).not.toBe('')
    const again = sessions.open(`__Host-id=${key}`)
    await again.session.load()
    for (const thing of [exchange.session, again.session, sessions, exchange]) {
      expect(inspect(thing, { depth: 10, showHidden: true })).not.toContain(key)
      expect(JSON.stringify(thing) ?? '').not.toContain(key)
    }
    const store = new WaiStore({ driver: fromPg(shared.pool), timeout: '1h' })
    const answer = await store.load({ id: '', secretHashes: [Buffer.from(key)] })
    expect(JSON.stringify(answer)).not.toContain(key)
    await store.close()
  })
})

describe('cookies', () => {
  it('of one name count as there: the first one, valid or not', async () => {
    const [one, two] = [
      await (await shared.original.open(null)).getNewCookie(),
      await (await shared.original.open(null)).getNewCookie(),
    ]
    const sessions = shared.sessions()
    const idOf = async (header: string): Promise<string | null> => {
      const { session } = sessions.open(header)
      await session.load()
      return session.id
    }
    const [first, second] = (await shared.rows()).map(({ id }) => id)
    expect(await idOf(`__Host-id=${one}; __Host-id=${two}`)).toBe(first)
    expect(await idOf(`x=1; __Host-id=${two}; __Host-id=${one}`)).toBe(second)
    expect(await idOf(`__Host-id=; __Host-id=${one}`)).toBeNull()
    expect(await idOf(`__Host-id=junk; __Host-id=${one}`)).toBeNull()
    expect(await idOf(`__host-id=${one}`)).toBeNull()
  })

  it('with a NUL, with bytes that are not UTF-8, or of 8 kB open no session, over real HTTP', async () => {
    const key = await (await shared.original.open(null)).getNewCookie()
    const sessions = shared.sessions({ cookie: { name: 'SESSION', secure: false } })
    const sessionOf = nodeSessions(sessions)
    const server = createServer(async (request, response) => {
      const session = sessionOf(request, response)
      await session.load()
      response.end(String(session.id))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const ask = async (cookie: Buffer): Promise<string> => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: SESSION=')
      socket.write(Buffer.concat([cookie, Buffer.from('\r\n\r\n')]))
      let answer = ''
      for await (const chunk of socket) answer += String(chunk)
      return answer
    }
    try {
      const id = (await shared.rows())[0]?.id
      expect(await ask(Buffer.from(key))).toMatch(new RegExp(`^HTTP/1.1 200[^]*\r\n\r\n${id}$`))
      for (const hostile of [
        Buffer.from([0xff, 0xfe, 0x80]),
        Buffer.from(`${key}é`),
        Buffer.from("' or 1=1 --"),
        Buffer.from('x'.repeat(8000)),
      ]) {
        expect(await ask(hostile)).toMatch(/^HTTP\/1.1 200[^]*\r\n\r\nnull$/)
      }
      // Node refuses a NUL in a header by itself; a framework that joins headers may not.
      expect(await ask(Buffer.from(`${key}\0junk`))).toMatch(/^HTTP\/1.1 400/)
      const { session } = sessions.open(`SESSION=${key}\0junk`)
      await session.load()
      expect(session.id).toBeNull()
      expect(await shared.rows()).toHaveLength(1)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

describe('values', () => {
  it('with a NUL, of no length, or that are null in the table do no harm', async () => {
    const there = await shared.original.open(null)
    const key = await there.getNewCookie()
    await there.insert('', '')
    await there.insert('nul', 'a\0b')
    await shared.pool.query(
      'insert into wai_pg_session_data (wai_pg_session, key, value) values ($1, null, $2), ($1, $2, null), (null, $2, $2)',
      [there.id, Buffer.from('000000000000000161', 'hex')],
    )
    const ann = shared.visitor(key)
    expect(await holds(ann)).toEqual({ '': '', nul: 'a\0b' })
    await ann.visit((session) => session.update('a', (before) => `${before ?? 'none'}, and then`))
    expect(await there.lookup('a')).toBe('none, and then')
    await ann.visit((session) => session.set('n\0', 'x\0y'))
    expect(await there.lookup('n\0')).toBe('x\0y')
  })

  it('that do not decode are absent, and stay', async () => {
    const there = await shared.original.open(null)
    const key = await there.getNewCookie()
    await there.insert('good', '1')
    await shared.pool.query(
      'insert into wai_pg_session_data (wai_pg_session, key, value) values ($1, $2, $3)',
      [there.id, Buffer.from('000000000000000161', 'hex'), Buffer.from([42])],
    )
    expect(await holds(shared.visitor(key))).toEqual({ good: '1' })
    const { rows } = await shared.pool.query(
      'select from wai_pg_session_data where wai_pg_session = $1',
      [there.id],
    )
    expect(rows).toHaveLength(2)
  })
})

describe('what the tables cannot hold', () => {
  it('is refused when the sessions are made', () => {
    const wai = waiSettings({
      database: fromPg(shared.pool),
      timeout: '30m',
      cookie: { name: 'SESSION' },
      codec,
    })
    const create = (more: object) => () => createSessions({ log: false, ...wai, ...more })
    expect(create({})).not.toThrow()
    expect(create({ idleTimeout: '1h' })).toThrow("idleTimeout: '30m'")
    expect(create({ absoluteTimeout: '30d' })).toThrow("absoluteTimeout: 'none'")
    expect(create({ renewInterval: '10m' })).toThrow("renewInterval: 'never'")
    const store = (more: object) => () =>
      new WaiStore({ driver: fromPg(shared.pool), timeout: '1h', ...more })
    expect(store({ timeout: '1500ms' })).toThrow("write '2s'")
    expect(store({ migrate: 'yes' })).toThrow("'auto', 'check' or 'off'")
    expect(store({ schema: 'pg_own' })).toThrow(ConfigurationError)
  })

  it('needs every option that both sides must agree on, and knows no other', () => {
    const options = {
      database: fromPg(shared.pool),
      timeout: '1h',
      cookie: { name: 'SESSION' },
      codec,
    } as const
    const make = (more: object) => () => waiSettings({ ...options, ...more })
    expect(make({})).not.toThrow()
    expect(make({ timout: '2h' })).toThrow('no option "timout". Did you mean timeout?')
    for (const database of [shared.pool, 'postgres://localhost', null]) {
      expect(make({ database })).toThrow('database must be a driver, which wraps a client: fromPg(')
    }
    const store = (more: object) => () =>
      new WaiStore({ driver: fromPg(shared.pool), timeout: '1h', ...more })
    expect(store({ driver: shared.pool })).toThrow('driver must be a driver')
    expect(store({ driver: undefined })).toThrow('driver must be a driver')
    expect(store({ timeout: undefined })).toThrow('timeout must be a duration')
    expect(store({ loginTim: '5s' })).toThrow('Did you mean loginTime?')
    expect(make({ codec: undefined })).toThrow('cerealCodec(')
    expect(make({ cookie: {} })).toThrow("cookie: { name: 'SESSION' }")
    expect(make({ timeout: undefined })).toThrow(ConfigurationError)
  })

  it('is refused when it is asked for, and nothing is written', async () => {
    const sessions = shared.sessions()
    const ann = shared.visitor()
    await ann.visit((session) => session.set('a', '1'))
    const before = await shared.rows()
    const calls = {
      signIn: () => ann.visit((session) => session.signIn('ann')),
      'a first signIn': () => shared.visitor().visit((session) => session.signIn('ann')),
      setLifetime: () => ann.visit((session) => session.setLifetime({ idleTimeout: '5m' })),
      listByUser: () => sessions.listByUser('ann'),
      destroyByUser: () => sessions.destroyByUser('ann'),
      'destroyById for an owner': () => sessions.destroyById('1', { userId: 'ann' }),
    }
    for (const [name, call] of Object.entries(calls)) {
      await expect(call(), name).rejects.toThrow(UnsupportedError)
      await expect(call(), name).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
    }
    await expect(calls.signIn()).rejects.toThrow('To log in write session.clear()')
    expect((await shared.rows()).map((row) => row.session_key)).toEqual(
      before.map((row) => row.session_key),
    )
  })

  it('names what to write when tokens of another form come', async () => {
    const settings = waiSettings({
      database: fromPg(shared.pool),
      timeout: '1h',
      cookie: { name: 'SESSION' },
      codec,
    })
    const { tokens: _, ...rest } = settings
    expect(() => createSessions({ ...rest, log: false })).toThrow('tokens is undefined')
    const sessions = createSessions({
      ...settings,
      tokens: createTokens({ generateSecret: () => randomToken(24), peppers: [] }),
      log: false,
    })
    const { session } = sessions.open(null)
    session.set('a', '1')
    await expect(session.save()).rejects.toThrow('waiTokens()')
    expect(await shared.rows()).toEqual([])
  })
})

it('a session is known, and ended from afar, by the id of its row', async () => {
  const key = await (await shared.original.open(null)).getNewCookie()
  const sessions = shared.sessions()
  const ann = shared.visitor(key)
  const id = await ann.visit(async (session) => {
    await session.load()
    return session.id
  })
  expect(id).toBe((await shared.rows())[0]?.id)
  expect(await sessions.destroyById('9'.repeat(19))).toBe(false)
  expect(await sessions.destroyById(`${id}; drop`)).toBe(false)
  expect(await sessions.destroyById(String(id))).toBe(true)
  expect(await shared.rows()).toEqual([])
})
