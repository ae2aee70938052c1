import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { ConfigurationError, createSessions, StoreUnavailableError } from 'pg-sessions'
import {
  type BetterAuthStorage,
  type BetterAuthStorageOptions,
  betterAuthStorage,
} from 'pg-sessions/better-auth'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { addressOf, at } from '../support/database-address.ts'

/** What better-auth itself does with the storage is tested in `examples/better-auth`. */

let database: TestDatabase
let pool: pg.Pool
let storage: BetterAuthStorage
const secret = randomBytes(24).toString('base64')

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  storage = open()
})

afterAll(async () => {
  await storage.close()
  await pool.end()
  await database.drop()
})

describe('betterAuthStorage', () => {
  it('keeps a value until its time is over', async () => {
    await storage.set('a', 'one')
    await storage.set('b', 'two', 1000)
    await storage.set('c', 'three', 1000)
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(storage.get))).toEqual([
      'one',
      'two',
      'three',
      null,
    ])
    await elapse(1001)
    expect(await Promise.all(['a', 'b', 'c'].map(storage.get))).toEqual(['one', null, null])
  })

  it('replaces a value with its time, also one that is over', async () => {
    const key = randomUUID()
    await storage.set(key, 'one', 1000)
    await storage.set(key, 'two', 10)
    expect(await storage.get(key)).toBe('two')
    await elapse(11)
    expect(await storage.get(key)).toBeNull()
    await storage.set(key, 'three')
    expect(await storage.get(key)).toBe('three')
  })

  it('deletes, also by a time to live of nothing', async () => {
    const key = randomUUID()
    await storage.set(key, 'one')
    await storage.set(key, 'two', 0)
    expect(await storage.get(key)).toBeNull()
    await storage.delete(key)
    await storage.set(key, 'three', 60)
    await storage.delete(key)
    expect(await storage.get(key)).toBeNull()
  })

  it('gives a value to one of many takers', async () => {
    const key = randomUUID()
    await storage.set(key, 'once', 60)
    const taken = await Promise.all(Array.from({ length: 20 }, () => storage.getAndDelete(key)))
    expect(taken.filter((value) => value !== null)).toEqual(['once'])
    expect(await storage.get(key)).toBeNull()
    expect(await rowsOf('better_auth')).not.toContain(key)
  })

  it('takes no value whose time is over', async () => {
    const key = randomUUID()
    await storage.set(key, 'once', 60)
    await elapse(61)
    expect(await storage.getAndDelete(key)).toBeNull()
  })

  it('counts concurrent increments, each once, and starts from 1 again when the first one’s time is over', async () => {
    const key = randomUUID()
    const count = () => storage.increment(key, 60)
    const counts = await Promise.all(Array.from({ length: 50 }, count))
    expect(counts.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
    await elapse(40)
    expect(await storage.increment(key, 60)).toBe(51)
    await elapse(21)
    const again = await Promise.all(Array.from({ length: 10 }, count))
    expect(Math.max(...again)).toBe(10)
  })

  it('stores neither keys nor values in plain text, and opens no value in the place of another', async () => {
    const [key, other] = ['token-of-ann', 'token-of-bob']
    await storage.set(key, 'belongs to ann')
    await storage.set(other, 'belongs to bob')
    const dump = JSON.stringify(await rowsOf('better_auth', 'better_auth_data'))
    for (const text of [key, 'belongs to ann']) {
      expect(dump).not.toContain(text)
      expect(dump).not.toContain(Buffer.from(text).toString('hex'))
    }
    await database.query(
      'update sessions.better_auth_data set value = (select max(value) from sessions.better_auth_data)',
    )
    const found = await Promise.all([storage.get(key), storage.get(other)])
    expect(found).toContain(null)
    expect(['belongs to ann', null]).toContain(found[0])
  })

  it('reads under a former secret, and nothing under another', async () => {
    const key = randomUUID()
    await storage.set(key, 'sealed', 60)
    const next = randomBytes(24).toString('base64')
    const [rotated, other] = [open({ secret: [next, secret] }), open({ secret: next })]
    expect(await rotated.get(key)).toBe('sealed')
    expect(await other.get(key)).toBeNull()
    await rotated.set(key, 'sealed again', 60)
    expect(await other.get(key)).toBe('sealed again')
    await Promise.all([rotated.close(), other.close()])
  })

  it('lets concurrent sets, takes and deletes of one key end, each value whole', async () => {
    const key = randomUUID()
    const acts = Array.from({ length: 40 }, (_, index) => {
      if (index % 4 === 3) return storage.delete(key)
      return index % 4 === 2 ? storage.getAndDelete(key) : storage.set(key, `value ${index}`, 60)
    })
    for (const taken of await Promise.all(acts)) {
      if (typeof taken === 'string') expect(taken).toMatch(/^value \d+$/)
    }
    await storage.set(key, 'last', 60)
    expect(await storage.get(key)).toBe('last')
  })

  it('says that a call whose reply got lost may have had an effect, and repeats none', async () => {
    const [taken, counted] = [randomUUID(), randomUUID()]
    await storage.set(taken, 'once', 60)
    await using proxy = await startFaultProxy(addressOf(database.url))
    const faulty = new pg.Pool({
      connectionString: at(database.url, proxy.host, proxy.port),
      max: 1,
    })
    const unlucky = open({ database: fromPg(faulty) })
    await unlucky.increment(randomUUID(), 60)
    await unlucky.get(taken)
    const calls = [() => unlucky.getAndDelete(taken), () => unlucky.increment(counted, 60)]
    for (const call of calls) {
      const lost = proxy.cutBefore(({ from, type }) => from === 'server' && type === 'C')
      await expect(call()).rejects.toMatchObject({ outcome: 'unknown' })
      await lost
      await unlucky.get(randomUUID())
    }
    expect(await storage.get(taken)).toBeNull()
    expect(await storage.increment(counted, 60)).toBe(2)
    await unlucky.close()
    await faulty.end()
  })

  it('has functions that ask for no this', async () => {
    const { increment, get } = storage
    expect(await increment(randomUUID(), 60)).toBe(1)
    expect(await get(randomUUID())).toBeNull()
  })

  it('throws when the database cannot be asked, rather than miss a session', async () => {
    const gone = new pg.Pool({ host: '127.0.0.1', port: 1 })
    const unreachable = betterAuthStorage({ database: fromPg(gone), secret, log: false })
    await expect(unreachable.get('a')).rejects.toThrow(StoreUnavailableError)
    await expect(unreachable.increment('a', 1)).rejects.toThrow(StoreUnavailableError)
    await unreachable.close()
    await gone.end()
  })

  it.each([
    ['no secret', {}, /needs secret/],
    ['an undefined secret', { secret: undefined }, /environment variable/],
    ['a short secret', { secret: 'short' }, /at least 32 characters/],
    ['no database', { secret, database: undefined }, /needs a database/],
    ['an unknown option', { secret, tabels: {} }, /Did you mean tables/],
  ])('refuses %s', (_, options, message) => {
    const make = () => betterAuthStorage({ database: fromPg(pool), ...options } as never)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(message)
  })

  it('refuses a ttl that is not a number, which would keep a value for ever', async () => {
    await expect(storage.set('a', 'b', Number.NaN)).rejects.toThrow(/ttl in seconds/)
    await expect(storage.increment('a', undefined as never)).rejects.toThrow(/ttl in seconds/)
    await expect(storage.set('a', {} as never)).rejects.toThrow(/takes a text/)
  })
})

describe('sessions of better-auth', () => {
  it('lists every one of 50 concurrent sign-ins', async () => {
    const user = randomUUID()
    const tokens = Array.from({ length: 50 }, () => randomUUID())
    await Promise.all(tokens.map((token) => signIn(user, token)))
    expect((await listed(user)).toSorted()).toEqual(tokens.toSorted())
  })

  it('lists those that live, and none once all have ended', async () => {
    const user = randomUUID()
    const [one, other] = [randomUUID(), randomUUID()]
    await signIn(user, one, 1000)
    await signIn(user, other, 10)
    await elapse(11)
    expect(await listed(user)).toEqual([one])
    await storage.delete(one)
    expect(await storage.get(`active-sessions-${user}`)).toBeNull()
  })

  it('lists no value of another key that looks like a session', async () => {
    const user = randomUUID()
    const token = randomUUID()
    await signIn(user, token)
    const value = await storage.get(token)
    await storage.set(`copy-of-${token}`, value ?? '', 1000)
    expect(await listed(user)).toEqual([token])
  })

  it('keeps each field that 50 concurrent requests change', async () => {
    const user = randomUUID()
    const token = randomUUID()
    await signIn(user, token)
    const fields = Array.from({ length: 50 }, (_, index) => `field${index}`)
    const others = open()
    await Promise.all(
      fields.map((field, index) =>
        update(token, { [field]: index }, index % 2 === 0 ? storage : others),
      ),
    )
    const { session } = JSON.parse((await storage.get(token)) ?? '')
    expect(session).toMatchObject(Object.fromEntries(fields.map((field, index) => [field, index])))
    expect(await listed(user)).toEqual([token])
    await others.close()
  })

  it('lets the last of several changes of one field stand', async () => {
    const token = randomUUID()
    await signIn(randomUUID(), token)
    for (const theme of ['dark', 'light', 'dark', undefined]) {
      await update(token, { theme })
      const { session } = JSON.parse((await storage.get(token)) ?? '')
      expect(session.theme).toBe(theme)
    }
  })

  it('extends a session that is updated, and never shortens it', async () => {
    const token = randomUUID()
    await signIn(randomUUID(), token, 100)
    await update(token, {}, storage, 1000)
    await update(token, {}, storage, 50)
    await elapse(900)
    expect(await storage.get(token)).not.toBeNull()
    await elapse(101)
    expect(await storage.get(token)).toBeNull()
  })

  it('brings no session back that ends while a request changes it', async () => {
    const user = randomUUID()
    const token = randomUUID()
    await signIn(user, token)
    const text = (await storage.get(token)) ?? ''
    await signOutElsewhere(token)
    await storage.set(token, text, 1000)
    expect(await storage.get(token)).toBeNull()
    expect(await listed(user)).toEqual([])
  })

  it('are listed and ended by createSessions, also in a transaction of the application', async () => {
    const user = randomUUID()
    const tokens = [randomUUID(), randomUUID()]
    for (const token of tokens) await signIn(user, token)
    const sessions = createSessions({
      database: fromPg(pool),
      tables: { session: 'better_auth' },
      log: false,
    })
    expect(await sessions.listByUser(user)).toHaveLength(2)
    const client = await pool.connect()
    await client.query('begin')
    await sessions.in(client).destroyByUser(user)
    await client.query('rollback')
    expect(await listed(user)).toHaveLength(2)
    await client.query('begin')
    await sessions.in(client).destroyByUser(user)
    await client.query('commit')
    client.release()
    expect(await Promise.all(tokens.map(storage.get))).toEqual([null, null])
    await sessions.close()
  })
})

function open(options: Partial<BetterAuthStorageOptions> = {}): BetterAuthStorage {
  return betterAuthStorage({
    database: fromPg(pool),
    secret,
    purgeInterval: 'never',
    deadline: '30s',
    log: false,
    ...options,
  })
}

/** Stores a session as better-auth does: the list of its user's first. */
async function signIn(userId: string, token: string, ttl = 1000): Promise<void> {
  const key = `active-sessions-${userId}`
  const expiresAt = Date.now() + ttl * 1000
  const list = JSON.parse((await storage.get(key)) ?? '[]')
  await storage.set(key, JSON.stringify([...list, { token, expiresAt }]), ttl)
  const session = { userId, token, expiresAt: new Date(expiresAt), createdAt: new Date() }
  await storage.set(token, JSON.stringify({ session, user: { id: userId } }), ttl)
}

/** Changes a session as better-auth does: reads it, and writes the whole. */
async function update(
  token: string,
  fields: object,
  by: BetterAuthStorage = storage,
  ttl = 1000,
): Promise<void> {
  const { session, user } = JSON.parse((await by.get(token)) ?? 'null')
  await by.set(token, JSON.stringify({ session: { ...session, ...fields }, user }), ttl)
}

/** As another request does, which has not read what this one has. */
function signOutElsewhere(token: string): Promise<void> {
  const elsewhere = open()
  return elsewhere.delete(token).then(() => elsewhere.close())
}

async function listed(userId: string): Promise<string[]> {
  const list = JSON.parse((await storage.get(`active-sessions-${userId}`)) ?? '[]')
  return list.map(({ token }: { token: string }) => token)
}

async function elapse(seconds: number): Promise<void> {
  const columns = ['expires_at', 'purge_at', 'created_at', 'last_access_at', 'token_issued_at']
  const moved = columns.map((column) => `${column} = ${column} - interval '${seconds} s'`)
  await database.query(`update sessions.better_auth set ${moved.join(', ')}`)
}

async function rowsOf(...tables: string[]): Promise<unknown[]> {
  const rows = await Promise.all(
    tables.map((table) => database.query(`select t::text from sessions.${table} as t`)),
  )
  return rows.flat()
}
