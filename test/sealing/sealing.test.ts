import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import {
  createSessions,
  type DatabaseSettings,
  jsonCodec,
  type Sealer,
  type SealSettings,
  type SessionEvents,
  type Sessions,
} from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'

interface Data {
  basket: unknown
  note: string
  visits: number
}

const newKey = () => randomBytes(32).toString('base64')
const KEY = newKey()
const SECRET_WORDS = 'a pair of red shoes'
const FAR = '2999-01-01T00:00:00Z'

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())
beforeEach(() => harness.pool.query('delete from sessions.session'))

type Failure = SessionEvents['unsealFailed']

function open(
  seal?: SealSettings,
  settings: Partial<DatabaseSettings> = {},
): { sessions: Sessions<Data>; failures: Failure[] } {
  const sessions = createSessions<Data>({
    database: fromPg(harness.pool),
    migrate: 'off',
    log: false,
    ...(seal && { seal }),
    ...settings,
  } as DatabaseSettings)
  const failures: Failure[] = []
  sessions.on('unsealFailed', (event) => failures.push(event))
  onTestFinished(() => sessions.close())
  return { sessions, failures }
}

async function begin(sessions: Sessions<Data>, data: Partial<Data>, userId?: string) {
  const exchange = sessions.open(null)
  const { session } = exchange
  for (const [key, value] of Object.entries(data)) session.set(key as keyof Data, value as never)
  if (userId !== undefined) await session.signIn(userId)
  const { setCookies } = await exchange.commit()
  await session.load()
  return { cookie: setCookies[0]?.split(';')[0] ?? '', id: session.id as string }
}

const visit = (sessions: Sessions<Data>, { cookie }: { cookie: string }) =>
  sessions.open(cookie).session

async function storedOf(id: string, key: string): Promise<Buffer> {
  const { rows } = await harness.pool.query(
    "select value from sessions.session_data where session_id = $1 and key = convert_to($2, 'UTF8')",
    [id, key],
  )
  return rows[0]?.value as Buffer
}

const store = (id: string, key: string, value: Buffer) =>
  harness.pool.query(
    "update sessions.session_data set value = $3 where session_id = $1 and key = convert_to($2, 'UTF8')",
    [id, key, value],
  )

/** All that a dump of the tables holds, as text and as hexadecimal. */
async function dump(): Promise<string> {
  const tables = ['session', 'session_data', 'session_entry', 'migration']
  const texts = await Promise.all(
    tables.map((table) => harness.pool.query(`select t::text as row from sessions.${table} as t`)),
  )
  return texts.flatMap(({ rows }) => rows.map(({ row }) => row as string)).join('\n')
}

describe('what is stored', () => {
  test('is nothing of a value, and shows that it is sealed, with which key', async () => {
    const { sessions } = open({ keys: [KEY] })
    const one = await begin(sessions, { basket: [SECRET_WORDS], note: SECRET_WORDS.repeat(1000) })
    await visit(sessions, one).update('visits', () => 7_777_777_777_777)
    const dumped = await dump()
    const hidden = [SECRET_WORDS, '7777777777777', KEY].flatMap((text) => [
      text,
      Buffer.from(text).toString('hex'),
    ])
    for (const text of hidden) expect(dumped).not.toContain(text)
    const { rows } = await harness.pool.query('select key, value from sessions.session_entry')
    expect(rows).toHaveLength(3)
    for (const { value } of rows) expect(value).toMatch(/^sealed:[0-9a-f]{16}$/)
    expect(new Set(rows.map(({ value }) => value)).size).toBe(1)
  })

  test('is readable without the setting, which the test above relies on', async () => {
    await begin(open().sessions, { note: SECRET_WORDS })
    expect(await dump()).toContain(SECRET_WORDS)
  })

  test('is another each time for the same value', async () => {
    const { sessions } = open({ keys: [KEY] })
    const one = await begin(sessions, { note: 'same' })
    const before = await storedOf(one.id, 'note')
    const exchange = sessions.open(one.cookie)
    exchange.session.set('note', 'same')
    await exchange.commit()
    expect(await storedOf(one.id, 'note')).not.toEqual(before)
    expect(await visit(sessions, one).get('note')).toBe('same')
  })
})

describe('a value that was tampered with counts as absent, is told, and signs no user out', () => {
  const changes: Record<string, (own: Buffer, foreign: Buffer, other: Buffer) => Buffer> = {
    'that of another session': (_, foreign) => foreign,
    'that of another key': (_, __, other) => other,
    'a truncated one': (own) => own.subarray(0, -1),
    'one cut to its head': (own) => own.subarray(0, 20),
    'the mark alone': (own) => own.subarray(0, 5),
    'one with a flipped bit in the text': (own) => flipped(own, 30),
    'one with a flipped bit in the nonce': (own) => flipped(own, 15),
    'one with a flipped bit in the tag': (own) => flipped(own, own.length - 1),
    'one with a longer text': (own) => Buffer.concat([own, Buffer.from('x')]),
  }
  test.each(Object.entries(changes))('%s', async (_, change) => {
    const { sessions, failures } = open({ keys: [KEY] })
    const ann = await begin(sessions, { note: 'of ann', basket: 'a basket' }, 'ann')
    const bob = await begin(sessions, { note: 'of bob' }, 'bob')
    const own = await storedOf(ann.id, 'note')
    const changed = change(own, await storedOf(bob.id, 'note'), await storedOf(ann.id, 'basket'))
    await store(ann.id, 'note', changed)
    const session = visit(sessions, ann)
    expect(await session.get('note')).toBeUndefined()
    expect(await session.get('basket')).toBe('a basket')
    expect(session.userId).toBe('ann')
    expect(failures).toEqual([{ sessionId: ann.id, key: 'note', reason: 'notAuthentic' }])
    await session.update('note', (note) => `${note} again`)
    expect(await visit(sessions, ann).get('note')).toBe('undefined again')
  })

  test('one that take cannot decrypt stays for a process that can', async () => {
    const owner = open({ keys: [KEY] }).sessions
    const large = 'x'.repeat(20_000)
    const ann = await begin(owner, { note: large }, 'ann')
    const { sessions, failures } = open({ keys: [newKey()] })
    expect(await visit(sessions, ann).take('note')).toBeUndefined()
    expect(failures).toMatchObject([{ key: 'note', reason: 'unknownKey' }])
    expect(await visit(owner, ann).take('note')).toBe(large)
    expect(await visit(owner, ann).get('note')).toBeUndefined()
  })

  test('one in sessions without the setting, also if their codec takes any bytes', async () => {
    const ann = await begin(open({ keys: [KEY] }).sessions, { note: 'of ann' }, 'ann')
    for (const codec of [jsonCodec, { ...jsonCodec, decode: (bytes: Uint8Array) => bytes }]) {
      const { sessions, failures } = open(undefined, { codec })
      expect(await visit(sessions, ann).get('note')).toBeUndefined()
      expect(failures).toEqual([{ sessionId: ann.id, key: 'note', reason: 'noSetting' }])
    }
  })

  test('one of a key that this process lacks', async () => {
    const ann = await begin(open({ keys: [newKey()] }).sessions, { note: 'of ann' }, 'ann')
    const { sessions, failures } = open({ keys: [KEY] })
    expect(await visit(sessions, ann).get('note')).toBeUndefined()
    expect(await visit(sessions, ann).take('note')).toBeUndefined()
    expect(failures[0]?.reason).toBe('unknownKey')
    const session = visit(sessions, ann)
    session.set('note', 'new')
    await session.save()
    expect(await visit(sessions, ann).get('note')).toBe('new')
  })

  function flipped(value: Buffer, index: number): Buffer {
    const copy = Buffer.from(value)
    copy[index] = (copy[index] as number) ^ 1
    return copy
  }
})

describe('values from before', () => {
  test('are refused by default, and told', async () => {
    const one = await begin(open().sessions, { note: 'plain' })
    const { sessions, failures } = open({ keys: [KEY] })
    expect(await visit(sessions, one).get('note')).toBeUndefined()
    expect(failures).toEqual([{ sessionId: one.id, key: 'note', reason: 'notSealed' }])
  })

  test('count until the time that is set, and no longer', async () => {
    const one = await begin(open().sessions, { note: 'plain', visits: 1 })
    const until = new Date(Date.now() + 3_600_000)
    const { sessions } = open({ keys: [KEY], acceptUnsealedUntil: until })
    expect(await visit(sessions, one).get('note')).toBe('plain')
    await visit(sessions, one).update('visits', (visits = 0) => visits + 1)
    vi.setSystemTime(until)
    onTestFinished(() => void vi.useRealTimers())
    expect(await visit(sessions, one).get('note')).toBeUndefined()
    expect(await visit(sessions, one).get('visits')).toBe(2)
  })

  test('are still written until sealFrom, so that all processes know the keys by then', async () => {
    const from = new Date(Date.now() + 3_600_000)
    const seal = { keys: [KEY], sealFrom: from, acceptUnsealedUntil: FAR }
    const { sessions } = open(seal)
    const one = await begin(sessions, { note: 'plain' })
    expect(await visit(open().sessions, one).get('note')).toBe('plain')
    await expect(sessions.reseal()).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' })
    vi.setSystemTime(from)
    onTestFinished(() => void vi.useRealTimers())
    await visit(sessions, one).update('note', (note) => `${note}, sealed`)
    expect((await storedOf(one.id, 'note')).subarray(0, 5)).toEqual(Buffer.from('\0seal'))
  })
})

describe('a session on sealed values', () => {
  test('reads large values on demand, takes, updates and exports', async () => {
    const { sessions } = open({ keys: [KEY] })
    const large = 'x'.repeat(100_000)
    const one = await begin(sessions, { note: large, visits: 1, basket: { a: 1 } }, 'ann')
    expect(await visit(sessions, one).get('note')).toBe(large)
    await Promise.all(
      Array.from({ length: 5 }, () =>
        visit(sessions, one).update('visits', (visits = 0) => visits + 1),
      ),
    )
    expect(await visit(sessions, one).get('visits')).toBe(6)
    expect(await visit(sessions, one).take('basket')).toEqual({ a: 1 })
    expect(await visit(sessions, one).get('basket')).toBeUndefined()
    const { sessions: exported } = await sessions.exportUser('ann')
    expect(exported[0]?.data).toEqual({ note: large, visits: 6 })
  })

  test('updates a value that was sealed again since it was read', async () => {
    const { sessions } = open({ keys: [KEY] })
    const one = await begin(sessions, { visits: 1 })
    const session = visit(sessions, one)
    await session.load()
    const next = open({ keys: [newKey(), KEY] }).sessions
    expect(await next.reseal()).toMatchObject({ resealed: 1 })
    await session.update('visits', () => 2).catch(() => undefined)
    const both = open({ keys: [KEY, newKey()] }).sessions
    expect(await visit(both, one).get('visits')).toBe(2)
  })
})

describe('reseal', () => {
  test('seals with the current key what is not, once, in batches, and leaves what does not open', async () => {
    const [first, second] = [newKey(), newKey()]
    const old = open({ keys: [first] }).sessions
    const ones = await Promise.all(
      Array.from({ length: 7 }, (_, n) => begin(old, { note: `note ${n}`, visits: n })),
    )
    const plain = await begin(open().sessions, { note: 'plain' })
    const { sessions, failures } = open({ keys: [second, first] })
    const seen: number[] = []
    const report = await sessions.reseal({
      batchSize: 4,
      onProgress: (progress) => seen.push(progress.seen),
    })
    const counts = { sessions: 8, seen: 15, resealed: 14, changed: 0, failed: 1 }
    expect(report).toEqual({ ...counts, isComplete: true })
    expect(seen).toEqual([4, 8, 12, 15])
    expect(failures).toEqual([{ sessionId: plain.id, key: 'note', reason: 'notSealed' }])
    expect(await sessions.reseal()).toMatchObject({ resealed: 0, failed: 1 })
    const alone = open({ keys: [second] }).sessions
    for (const [n, one] of ones.entries()) {
      expect(await visit(alone, one).get('note')).toBe(`note ${n}`)
    }
  })

  test('seals values from before while they count, and can be stopped and called again', async () => {
    const ones = await Promise.all(
      Array.from({ length: 5 }, (_, n) => begin(open().sessions, { note: `note ${n}` })),
    )
    const { sessions } = open({ keys: [KEY], acceptUnsealedUntil: FAR })
    const stop = new AbortController()
    const report = await sessions.reseal({
      batchSize: 2,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    expect(report).toMatchObject({ resealed: 2, isComplete: false })
    expect(await sessions.reseal()).toMatchObject({ resealed: 3, isComplete: true })
    const strict = open({ keys: [KEY] }).sessions
    for (const [n, one] of ones.entries()) {
      expect(await visit(strict, one).get('note')).toBe(`note ${n}`)
    }
  })

  test('loses no change of requests beside it', async () => {
    const [first, second] = [newKey(), newKey()]
    const ones = await Promise.all(
      Array.from({ length: 4 }, () => begin(open({ keys: [first] }).sessions, { visits: 0 })),
    )
    const { sessions } = open({ keys: [second, first] })
    const traffic = ones.map(async (one) => {
      for (let n = 0; n < 10; n++) {
        await visit(sessions, one).update('visits', (visits = 0) => visits + 1)
      }
    })
    const resealing = Promise.all(
      Array.from({ length: 6 }, () => sessions.reseal({ batchSize: 2 })),
    )
    await Promise.all([resealing, ...traffic])
    const alone = open({ keys: [second] }).sessions
    for (const one of ones) expect(await visit(alone, one).get('visits')).toBe(10)
  })

  test('needs the setting', async () => {
    await expect(open().sessions.reseal()).rejects.toThrow(/needs the setting seal/)
    const { sessions } = open({ keys: [KEY] })
    for (const batchSize of [0, 1.5, 1e9, Number.NaN]) {
      await expect(sessions.reseal({ batchSize })).rejects.toThrow(/batchSize must be a whole/)
    }
  })
})

describe('a sealer of your own', () => {
  const xor = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte) => byte ^ 0x55)
  const kms: Sealer = {
    name: 'kms',
    async seal(value, { context }) {
      return Buffer.concat([Buffer.from([context.length]), context, xor(value)])
    },
    async open(sealed, { context }) {
      const length = sealed[0] as number
      const isOurs = Buffer.compare(sealed.subarray(1, 1 + length), context) === 0
      return isOurs ? xor(sealed.subarray(1 + length)) : 'notAuthentic'
    },
  }

  test('may be asynchronous, and is told the place of each value', async () => {
    const { sessions, failures } = open({ sealer: kms })
    const ann = await begin(sessions, { note: SECRET_WORDS, basket: 1 })
    const bob = await begin(sessions, { note: 'of bob' })
    expect(await dump()).not.toContain(SECRET_WORDS)
    expect(await visit(sessions, ann).get('note')).toBe(SECRET_WORDS)
    await store(ann.id, 'note', await storedOf(bob.id, 'note'))
    expect(await visit(sessions, ann).get('note')).toBeUndefined()
    expect(failures[0]?.reason).toBe('notAuthentic')
  })

  test('that fails or hangs fails the request, and no session counts as empty', async () => {
    const { sessions } = open({ sealer: kms })
    const one = await begin(sessions, { note: 'there' }, 'ann')
    const failing = { ...kms, open: () => Promise.reject(new Error('503 from kms')) }
    const code = 'ERR_STORE_UNAVAILABLE'
    await expect(visit(open({ sealer: failing }).sessions, one).get('note')).rejects.toMatchObject({
      code,
      cause: { message: '503 from kms' },
    })
    const hanging = { ...kms, open: () => new Promise<never>(() => undefined) }
    const slow = open({ sealer: hanging }, { deadline: '200ms' }).sessions
    await expect(visit(slow, one).get('note')).rejects.toMatchObject({ code })
    await expect(slow.exportUser('ann')).rejects.toMatchObject({ code })
    await expect(slow.reseal()).rejects.toMatchObject({ code })
  })

  test('that fails once the value is taken loses none', async () => {
    let isAway = false
    const open_: Sealer['open'] = (...given) =>
      isAway ? Promise.reject(new Error('503 from kms')) : kms.open(...given)
    const { sessions } = open({ sealer: { ...kms, open: open_ } })
    const one = await begin(sessions, { note: 'once' })
    const session = visit(sessions, one)
    await session.load()
    isAway = true
    await expect(session.take('note')).rejects.toMatchObject({ outcome: 'none' })
    isAway = false
    expect(await visit(sessions, one).take('note')).toBe('once')
  })

  test('may answer with a promise of another class', async () => {
    const thenable = <Value>(value: Value) =>
      ({ then: (next: (value: Value) => unknown) => next(value) }) as Promise<Value>
    const { sessions } = open({
      sealer: { name: 'own', seal: thenable, open: thenable },
    })
    const one = await begin(sessions, { note: 'there' })
    expect(await visit(sessions, one).get('note')).toBe('there')
  })

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /own\.open must give .* and gave undefined/],
    ['a text', 'the secret', /gave a String/],
    ['an ArrayBuffer', new ArrayBuffer(3), /gave an ArrayBuffer. Write new Uint8Array/],
    ['wider numbers', new Uint16Array(3), /gave a Uint16Array/],
  ])('that gives %s is refused', async (_, given, message) => {
    const sealer = { name: 'own', seal: (value: unknown) => value, open: () => given } as Sealer
    const { sessions } = open({ sealer })
    const one = await begin(sessions, { note: 'there' })
    const reading = visit(sessions, one).get('note')
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toMatchObject({ code: 'ERR_CONFIGURATION' })
    await expect(reading).rejects.not.toThrow('the secret')
    const wrong = open({ sealer: { ...sealer, seal: () => given } as Sealer }).sessions
    await expect(begin(wrong, { note: 'there' })).rejects.toThrow(/own\.seal must give/)
  })
})

describe('createSessions refuses', () => {
  const raw = randomBytes(32)
  test.each<[string, unknown, RegExp]>([
    [
      'a password',
      { keys: ['correct horse battery staple'] },
      /keys\[0\] is a text that is not base64/,
    ],
    ['a short key', { keys: [raw.subarray(1)] }, /keys\[0\] has 31 bytes, and needs 32/],
    ['a hexadecimal key', { keys: raw.toString('hex') }, /has 48 bytes, and needs 32/],
    ['zeros', { keys: [new Uint8Array(32)] }, /not random/],
    ['a bad previous key', { keys: [KEY, 'c2hvcnQ='] }, /keys\[1\] has 5 bytes/],
    ['a key that is not set', { keys: [undefined] }, /no current key/],
    ['keys that are not set', { keys: undefined }, /environment variable/],
    ['a setting that is not set', undefined, /seal is undefined/],
    ['a key in place of the setting', KEY, /seal needs an object/],
    ['neither keys nor a sealer', {}, /either keys or a sealer/],
    [
      'keys beside a sealer',
      { keys: KEY, sealer: { name: 'x', seal() {}, open() {} } },
      /either keys or a sealer/,
    ],
    ['a wrong time', { keys: KEY, acceptUnsealedUntil: '1' }, /acceptUnsealedUntil must be a Date/],
    ['sealing after the end of the way over', { keys: KEY, sealFrom: FAR }, /sealFrom is later/],
    ['a sealer without open', { sealer: { name: 'x', seal() {} } }, /seal.sealer must be/],
  ])('%s', (_, seal, message) => {
    const make = () => createSessions({ database: fromPg(harness.pool), seal } as DatabaseSettings)
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_CONFIGURATION' }))
    for (const secret of [KEY, raw.toString('hex'), 'horse']) {
      expect(make).not.toThrow(secret)
    }
  })

  test('a CryptoKey for another use, and says how to import it', async () => {
    const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
    expect(() => open({ keys: [key] })).toThrow(
      /Import it with \{ name: 'HMAC', hash: 'SHA-256' \}/,
    )
  })
})

test('no key can be seen in what is inspected', () => {
  const { sessions } = open({ keys: [KEY] })
  const shown = inspect(sessions, { depth: 10, showHidden: true })
  expect(shown).not.toContain(KEY)
  expect(shown).not.toContain(Buffer.from(KEY, 'base64').toString('hex').slice(0, 8))
})
