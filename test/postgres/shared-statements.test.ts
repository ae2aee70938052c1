import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Deadline } from '../../src/store/deadline.ts'
import {
  type Begun,
  begin,
  bytes,
  changeOf,
  contentOf,
  entry,
  HOUR,
  inParallel,
  lifetime,
  MINUTE,
  randomHash,
  recordOf,
  rotation,
  sample,
} from '../../src/testing/store-contract/samples.ts'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { gatedDriver } from './gated-driver.ts'
import { operationOf } from './recording-driver.ts'

let harness: PostgresStoreHarness

beforeAll(async () => {
  harness = await openPostgresStore()
})
beforeEach(() => harness.pool.query('delete from sessions.session'))
afterAll(() => harness.dispose())

function openGated() {
  const gated = gatedDriver(fromPg(harness.pool))
  return { ...gated, store: new PostgresStore({ driver: gated.driver, migrate: 'off' }) }
}

const tokenOf = ({ id, secretHash }: Begun) => ({ id, secretHashes: [secretHash] })

describe('a shared save', () => {
  test('removes the keys of each session from that session, and none for a guard that fails', async () => {
    const entries = [entry('a', '1'), entry('b', '2')]
    const [first, live, passedOn, ended] = await inParallel(4, () =>
      begin(harness.store, { userId: 'ann', entries }),
    )
    const { store, operations } = openGated()
    await harness.store.destroy({ id: ended!.id })
    const results = await Promise.all([
      store.save(changeOf(first!, { deleted: [bytes('a')] })),
      store.save(changeOf(live!, { deleted: [bytes('a')] })),
      store.save(changeOf({ ...passedOn!, userId: 'bob' }, { deleted: [bytes('b')] })),
      store.save(changeOf(ended!, { deleted: [bytes('b')] })),
    ])
    expect(results.map(({ status }) => status)).toEqual(['saved', 'saved', 'gone', 'gone'])
    expect(operations()).toContain('save_many')
    expect(await contentOf(harness.store, live!)).toEqual({ b: '2' })
    expect(await contentOf(harness.store, passedOn!)).toEqual({ a: '1', b: '2' })
  })
})

describe('a shared change of credentials', () => {
  test('gives each session its own, and refuses each by its own guard', async () => {
    const sessions = await inParallel(8, () => begin(harness.store))
    const [first, rotated, signedIn, again, elevated, stale, refused, passedOn] =
      sessions as Begun[]
    const { store, operations } = openGated()
    const to = sessions.map(() => randomHash())
    const absoluteExpiresAt = Date.now() + 5 * HOUR
    const changes = [
      changeOf(first!, { credentials: rotation(first!.secretHash, to[0]) }),
      changeOf(rotated!, {
        credentials: { token: { from: [randomHash(), rotated!.secretHash], to: to[1]! } },
        written: [entry('a', '1')],
      }),
      changeOf(signedIn!, {
        credentials: {
          ...rotation(signedIn!.secretHash, to[2]),
          signIn: { userId: 'ann', tags: ['one, "two"', 'three'] },
          ownIdleTimeout: 2 * HOUR,
          absoluteExpiresAt,
        },
      }),
      changeOf(again!, {
        credentials: { ...rotation(again!.secretHash, to[3]), signIn: { userId: 'null' } },
      }),
      changeOf(elevated!, {
        credentials: { ...rotation(elevated!.secretHash, to[4]), factor: 'totp' },
        written: [entry('a', '4')],
      }),
      changeOf(stale!, {
        credentials: rotation(randomHash(), to[5]),
        written: [entry('a', '5')],
      }),
      changeOf(refused!, {
        credentials: { ...rotation(randomHash(), to[6]), signIn: { userId: 'ann' } },
        written: [entry('a', '6')],
      }),
      changeOf(
        { ...passedOn!, userId: 'bob' },
        {
          credentials: rotation(passedOn!.secretHash, to[7]),
          written: [entry('a', '7')],
        },
      ),
    ]
    const results = await Promise.all(changes.map((change) => store.save(change)))
    const saved = (isRotated: boolean, version = '0') =>
      expect.objectContaining({ status: 'saved', rotated: isRotated, version })
    expect(results).toEqual([
      ...[saved(true), saved(true), saved(true, '1'), saved(true, '1'), saved(true), saved(false)],
      ...[{ status: 'gone' }, { status: 'gone' }],
    ])
    // Those two and no others are tried alone.
    expect(operations()).toEqual([
      ...['save_credentials', 'save_credentials_many', 'save_credentials', 'save_credentials'],
      'announce',
    ])
    const records = [
      ...sessions.slice(0, 5).map((it, n) => recordOf(harness.store, it, to[n])),
      ...sessions.slice(5).map((it) => recordOf(harness.store, it)),
    ]
    const [, , ann, odd, strong, ...others] = await Promise.all(records)
    expect(ann).toMatchObject({ userId: 'ann', ownIdleTimeout: 2 * HOUR, absoluteExpiresAt })
    expect(odd).toMatchObject({ userId: 'null', ownIdleTimeout: null })
    expect(strong).toMatchObject({ userId: null, elevation: { factor: 'totp' } })
    for (const other of others) expect(other).toMatchObject({ userId: null })
    const tagged = await harness.pool.query('select tags from sessions.session where id = $1', [
      signedIn!.id,
    ])
    expect(tagged.rows).toEqual([{ tags: ['one, "two"', 'three'] }])
    const { rows } = await harness.pool.query<{ session_id: string; value: Buffer }>(
      'select session_id, value from sessions.session_data',
    )
    expect(new Map(rows.map(({ session_id, value }) => [session_id, `${value}`]))).toEqual(
      new Map([
        [rotated!.id, '1'],
        [elevated!.id, '4'],
        [stale!.id, '5'],
      ]),
    )
  })

  test('fails for one alone whose value the database refuses', async () => {
    const [first, ...others] = await inParallel(4, () => begin(harness.store))
    const { store, operations } = openGated()
    const signIn = (it: Begun, userId: string) =>
      store.save(changeOf(it, { credentials: { ...rotation(it.secretHash), signIn: { userId } } }))
    const users = ['ann', 'with a \0 in it', 'bob']
    const results = await Promise.allSettled([
      signIn(first!, 'cy'),
      ...others.map((it, n) => signIn(it, users[n]!)),
    ])
    expect(results.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    ])
    expect(operations()).toContain('save_credentials_many')
    expect((await harness.store.listByUser('bob')).map(({ id }) => id)).toEqual([others[2]!.id])
  })

  test('waits for a session that another statement holds, and keeps no other waiting', async () => {
    const [first, free, held] = await inParallel(3, () => begin(harness.store))
    const holder = await harness.pool.connect()
    await holder.query('begin')
    await holder.query('select from sessions.session where id = $1 for update', [held!.id])
    const { store, operations } = openGated()
    const rotate = (it: Begun) => store.save(changeOf(it, { credentials: rotation(it.secretHash) }))
    const alone = rotate(first!)
    const waiting = rotate(held!)
    const results = await Promise.allSettled([alone, rotate(free!)])
    await holder.query('rollback')
    holder.release()
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect(await waiting).toMatchObject({ status: 'saved', rotated: true })
    expect(operations()).toContain('save_credentials_many')
  })
})

describe('a shared first save', () => {
  test('gives an id to one of those that claim it in one moment', async () => {
    const { store } = openGated()
    const one = sample()
    const claims = [sample(), one, sample({ id: one.id }), sample({ id: one.id })]
    const made = await Promise.all(claims.map((session) => store.create(session)))
    const [other, ...ofOne] = made.map(({ status }) => status)
    expect(other).toBe('created')
    // Which of them is first is not promised: each may go with another statement.
    expect(ofOne.sort()).toEqual(['created', 'taken', 'taken'])
    await store.close()
  })

  test('begins each session with its own tags and actor', async () => {
    const own = await begin(harness.store, { userId: 'ann' })
    const { store, operations } = openGated()
    const actor = { userId: 'ann', sessionId: own.id }
    const made = [
      sample(),
      sample({ userId: 'bob', tags: ['a "b"', 'c, d'] }),
      sample({ userId: 'bob', actor }),
      sample({ userId: 'bob', tags: [] }),
      sample(),
    ]
    await Promise.all(made.map((session) => store.create(session)))
    expect(operations()).toEqual(['create', 'create_many'])
    const { rows } = await harness.pool.query<{ id: string }>(
      'select id, tags, actor_id, actor_session, authenticated_at is not null as is_signed_in from sessions.session',
    )
    const plain = { tags: null, actor_id: null, actor_session: null, is_signed_in: false }
    const bob = { ...plain, is_signed_in: true }
    const expected = [
      plain,
      { ...bob, tags: ['a "b"', 'c, d'] },
      { ...plain, actor_id: 'ann', actor_session: own.id },
      bob,
      plain,
    ]
    for (const [n, { id }] of made.entries()) {
      expect(rows.find((row) => row.id === id)).toEqual({ id, ...expected[n] })
    }
  })
})

describe('a shared end', () => {
  test('asks each session for its own owner and token, and tells each caller of its own', async () => {
    const [first, ended, owned, foreign, held, lost] = await inParallel(6, () =>
      begin(harness.store, { userId: 'ann' }),
    )
    const { store, operations } = openGated()
    const results = await Promise.all([
      store.destroy({ id: first!.id }),
      store.destroy({ id: ended!.id }),
      store.destroy({ id: owned!.id, owner: 'ann' }),
      store.destroy({ id: foreign!.id, owner: 'bob' }),
      store.destroy({ id: held!.id, secretHashes: [randomHash(), held!.secretHash] }),
      store.destroy({ id: lost!.id, secretHashes: [randomHash()] }),
      store.destroy({ id: sample().id }),
    ])
    const ofAnn = { status: 'ended', userId: 'ann' }
    const gone = { status: 'gone' }
    expect(results).toEqual([ofAnn, ofAnn, ofAnn, gone, ofAnn, { status: 'superseded' }, gone])
    expect(operations()).toContain('destroy_many')
    // Five of them are looked up before.
    expect(operations().filter((name) => name.startsWith('look_up')).length).toBeLessThan(4)
    expect(await harness.store.count()).toEqual({ live: 2, expired: 0 })
  })

  test('ends no session for a token that is not its own, and the others all the same', async () => {
    const [first, kept, other] = await inParallel(3, () => begin(harness.store))
    const { store, operations } = openGated()
    const results = await Promise.all([
      store.destroy(tokenOf(first!)),
      store.destroy({ id: kept!.id, secretHashes: [randomHash()] }),
      store.destroy(tokenOf(other!)),
    ])
    expect(results.map(({ status }) => status)).toEqual(['ended', 'superseded', 'ended'])
    const ends = operations().filter((name) => name.startsWith('destroy'))
    expect(ends).toEqual(['destroy', 'destroy_many'])
    expect(await harness.store.count()).toEqual({ live: 1, expired: 0 })
  })

  test('ends a session once, and tells one of its callers so', async () => {
    const [first, second] = await inParallel(2, () => begin(harness.store))
    const { store } = openGated()
    const tokens = [first!, second!, second!].map(tokenOf)
    const results = await Promise.all(tokens.map((token) => store.destroy(token)))
    expect(results.map(({ status }) => status).sort()).toEqual(['ended', 'ended', 'gone'])
  })

  test('waits for a session that another statement holds, and keeps no other waiting', async () => {
    const [first, free, held] = await inParallel(3, () => begin(harness.store))
    const holder = await harness.pool.connect()
    await holder.query('begin')
    await holder.query('select from sessions.session where id = $1 for update', [held!.id])
    const { store, operations } = openGated()
    const late = { deadline: new Deadline(300) }
    // With a token, no look at the session keeps the ends from meeting in one statement.
    const ends = [
      store.destroy(tokenOf(first!)),
      store.destroy(tokenOf(free!)),
      store.destroy(tokenOf(held!), late),
    ]
    const results = await Promise.allSettled(ends.map((end) => end.then(({ status }) => status)))
    await holder.query('rollback')
    holder.release()
    expect(results).toEqual([
      { status: 'fulfilled', value: 'ended' },
      { status: 'fulfilled', value: 'ended' },
      { status: 'rejected', reason: expect.objectContaining({ code: 'ERR_STORE_UNAVAILABLE' }) },
    ])
    expect(operations()).toContain('destroy_many')
  })

  test('is announced together with the others', async () => {
    const sessions = await inParallel(20, () => begin(harness.store))
    const { store, operations } = openGated()
    await Promise.all(
      sessions.map(({ id, secretHash }) => store.destroy({ id, secretHashes: [secretHash] })),
    )
    await store.close()
    // The first goes alone; the others share one statement and one announcement.
    const sent = operations()
    expect(sent.filter((operation) => operation !== 'announce')).toEqual([
      'destroy',
      'destroy_many',
    ])
    expect(sent.filter((operation) => operation === 'announce').length).toBeLessThan(3)
  })
})

describe('a shared statement', () => {
  const AWKWARD = [null, 'CORP\\ann', 'a"b', 'a","b', '{a,b}', 'null', ' ann ', '\\']

  // A statement that a value had broken would be tried again, each call alone, and nothing else would show.
  test('takes every user and every lifetime to the letter, at the first try', async () => {
    const { store, operations } = openGated()
    const forever = { idle: Number.POSITIVE_INFINITY, purge: Number.POSITIVE_INFINITY }
    const sessions = await inParallel(AWKWARD.length * 2, (n) =>
      begin(store, {
        userId: AWKWARD[n % AWKWARD.length] as string | null,
        entries: [entry(`own ${n}`, `${n}`)],
        ...(n < AWKWARD.length ? {} : { lifetime: forever, absolute: Number.POSITIVE_INFINITY }),
      }),
    )
    await Promise.all(
      sessions.map((it, n) => store.save(changeOf(it, { written: [entry(`new ${n}`, `${n}`)] }))),
    )
    await Promise.all(sessions.map(({ id }) => store.touch({ id, lifetime: forever })))
    expect(operations()).toEqual([
      'create',
      'create_many',
      'save',
      'save_many',
      'touch',
      'touch_many',
    ])
    for (const [n, session] of sessions.entries()) {
      const { userId, expiresAt } = await recordOf(harness.store, session)
      expect(userId).toBe(session.userId)
      expect(expiresAt === Number.POSITIVE_INFINITY).toBe(n >= AWKWARD.length)
      expect(await contentOf(harness.store, session)).toEqual({
        [`own ${n}`]: `${n}`,
        [`new ${n}`]: `${n}`,
      })
    }
  })

  test('writes no entry of a session whose guard fails', async () => {
    const [first, live, passedOn] = await inParallel(3, () => begin(harness.store))
    const { store, operations } = openGated()
    const written = [entry('a', '1')]
    const results = await Promise.all([
      store.save(changeOf(first!)),
      store.save(changeOf(live!, { written })),
      store.save(changeOf({ ...passedOn!, userId: 'bob' }, { written })),
    ])
    expect(results.map(({ status }) => status)).toEqual(['saved', 'saved', 'gone'])
    expect(operations()).toContain('save_many')
    expect(await contentOf(harness.store, live!)).toEqual({ a: '1' })
    expect(await contentOf(harness.store, passedOn!)).toEqual({})
  })
})

describe('a shared save that notes no access', () => {
  test('leaves the rows of the sessions as they are', async () => {
    const sessions = await inParallel(4, () => begin(harness.store))
    const { store, operations } = openGated()
    const read = async () =>
      (
        await harness.pool.query(
          'select id, xmin::text, ctid::text from sessions.session order by id',
        )
      ).rows
    const before = await read()
    const written = [entry('a', '1')]
    await Promise.all(
      sessions.map((it) => store.save(changeOf(it, { written, isTouchDue: false }))),
    )
    expect(operations()).toContain('save_many')
    expect(await read()).toEqual(before)
  })
})

describe('the order of sessions in a shared statement', () => {
  test('is that of their ids, so that two statements cannot wait for each other', async () => {
    const driver = fromPg(harness.pool)
    const lists: string[][] = []
    const store = new PostgresStore({
      migrate: 'off',
      driver: {
        ...driver,
        query(statement, options) {
          if (operationOf(statement.name).endsWith('_many')) {
            const ids = /^\{([^}]*)\}$/.exec(String(statement.values[0]))?.[1]
            lists.push((ids ?? '').split(','))
          }
          return driver.query(statement, options)
        },
      },
    })
    const sessions = await inParallel(20, () => begin(store))
    await Promise.all(sessions.map((session) => store.save(changeOf(session))))
    await Promise.all(sessions.map(({ id }) => store.touch({ id, lifetime })))
    await store.close()
    expect(lists.length).toBeGreaterThan(2)
    for (const ids of lists) expect(ids).toEqual([...ids].sort())
  })
})

describe('touches of one session that come together', () => {
  test.each([
    ['the longer last', [MINUTE, 5 * HOUR]],
    ['the longer first', [5 * HOUR, MINUTE]],
  ])('all count, %s', async (_, idles) => {
    const [other, session] = await inParallel(2, () => begin(harness.store))
    const { store, operations } = openGated()
    await Promise.all([
      store.touch({ id: other!.id, lifetime }),
      ...idles.map((idle) => store.touch({ id: session!.id, lifetime: { idle, purge: 6 * HOUR } })),
    ])
    // Each in a statement of its own: one statement would count one of them.
    expect(operations()).toHaveLength(3)
    const record = await recordOf(harness.store, session!)
    expect(record.expiresAt - record.lastAccessAt).toBeGreaterThan(4 * HOUR)
  })
})

describe('times that lie ahead, as after a change of servers', () => {
  const touches: readonly (readonly [
    string,
    (store: PostgresStore, it: Begun) => Promise<unknown>,
  ])[] = [
    ['a touch', (store, { id }) => store.touch({ id, lifetime })],
    ['a save', (store, it) => store.save(changeOf(it, { written: [entry('a', '1')] }))],
    [
      'a rotation',
      (store, it) => store.save(changeOf(it, { credentials: rotation(it.secretHash) })),
    ],
    [
      'a shared touch',
      (store, { id }) =>
        Promise.all([id, sample().id, sample().id].map((it) => store.touch({ id: it, lifetime }))),
    ],
    [
      'a shared save',
      (store, it) => Promise.all([sample(), it].map((each) => store.save(changeOf(each)))),
    ],
  ]

  test.each(touches)('are not moved back by %s', async (_, touch) => {
    const session = await begin(harness.store)
    const read = async () => {
      const { rows } = await harness.pool.query(
        `select last_access_at::text, token_issued_at::text, expires_at::text, purge_at::text
         from sessions.session where id = $1`,
        [session.id],
      )
      return rows
    }
    await harness.pool.query(
      `update sessions.session set last_access_at = now() + interval '5 hours',
         token_issued_at = now() + interval '5 hours',
         expires_at = now() + interval '8 hours', purge_at = now() + interval '9 hours'`,
    )
    const before = await read()
    await touch(harness.store, session)
    expect(await read()).toEqual(before)
  })
})

test('the time of a sign-in that lies ahead is not moved back by another sign-in', async () => {
  const session = await begin(harness.store, { userId: 'ann' })
  const ahead = `update sessions.session set authenticated_at = now() + interval '5 hours'
    returning authenticated_at::text`
  const { rows } = await harness.pool.query(ahead)
  const credentials = { ...rotation(session.secretHash), signIn: { userId: 'ann' } }
  await harness.store.save(changeOf(session, { credentials }))
  const now = await harness.pool.query(
    'select authenticated_at::text from sessions.session where sign_ins = 1',
  )
  expect(now.rows).toEqual(rows)
})

describe('calls behind statements that hang', () => {
  /** As many loads as may be in flight, and those that wait behind them. */
  async function openHanging(waiting: number) {
    const session = await begin(harness.store)
    const { store, hold, operations } = openGated()
    const held = Array.from({ length: 8 + waiting }, () => hold('load'))
    const loads: Promise<unknown>[] = []
    for (const [n, { reached }] of held.entries()) {
      loads.push(store.load(tokenOf(session)))
      if (n < 8) await reached
    }
    const release = async () => {
      for (const each of held) each.release()
      await Promise.all(loads)
    }
    return { store, session, operations, release }
  }

  test('end at their own deadline while they wait, and nothing was sent of them', async () => {
    const { store, session, release } = await openHanging(0)
    const late = store.load(tokenOf(session), { deadline: new Deadline(50) })
    await expect(late).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
    await release()
  })

  test('are sent in eight statements at most', async () => {
    const { operations, release } = await openHanging(4)
    // Timers end in the order of their times: all that the store waits with have ended before this one.
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(operations()).toHaveLength(8)
    await release()
  })
})
