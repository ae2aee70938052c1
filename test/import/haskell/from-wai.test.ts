import { createSessions, type Sessions } from 'pg-sessions'
import { cereal } from 'pg-sessions/haskell/cereal'
import { type FromWaiOptions, fromWai } from 'pg-sessions/haskell/import'
import { fromPg } from 'pg-sessions/pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Visitor } from '../../support/each-store-visitor.ts'
import { expected, type OriginalService, openOriginalService } from './original-service.ts'

let original: OriginalService
const opened: Sessions<Record<string, unknown>>[] = []
beforeEach(async () => {
  original = await openOriginalService()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((sessions) => sessions.close()))
  await original.dispose()
})

type Data = Record<string, unknown>

function open(
  options: Partial<FromWaiOptions<string, string>> = {},
  settings: object = {},
): Sessions<Data> {
  const sessions = createSessions<Data>({
    ...fromWai({ database: fromPg(original.pool), ...options }),
    log: false,
    ...settings,
  })
  opened.push(sessions)
  return sessions
}

function problemsOf(sessions: Sessions<Data>): string[] {
  const problems: string[] = []
  sessions.on('sessionUnreadable', ({ problem }) => problems.push(problem))
  return problems
}

const read = (visitor: Visitor<Data>): Promise<Data> =>
  visitor.visit(async (session) => Object.fromEntries(await session.entries()))

test('every live session of the original is at hand with the key that its user has', async () => {
  const sessions = open()
  for (const { sessionKey, data, state } of expected.sessions) {
    const user = new Visitor(sessions, sessionKey)
    const found = await read(user)
    const isLive = !state.startsWith('expired')
    expect(found, state).toEqual(isLive ? Object.fromEntries(data) : {})
    if (isLive) expect(user.token, state).toHaveLength(54)
    expect(await read(user), state).toEqual(found)
  }
  const left = expected.sessions.filter(({ state }) => state.startsWith('expired'))
  expect(await original.keys()).toEqual(left.map(({ sessionKey }) => sessionKey))
})

test('the key from before a rotation is a stranger’s', async () => {
  const stranger = new Visitor(open(), 'd683513f542d9c59591e88a4c9babb8e6821e7211b3479d')
  expect(await read(stranger)).toEqual({})
})

test('the first response brings a token of ours; the old key works on for the grace, and then is dead', async () => {
  const sessions = open({}, { renewGrace: '2s' })
  const key = await original.begin({ user: 'ann' })
  const ann = new Visitor(sessions, key)
  expect(await read(ann)).toEqual({ user: 'ann' })
  const token = ann.token
  expect(token).not.toBe(key)
  const late = new Visitor(sessions, key)
  expect(await read(late), 'a request that was under way').toEqual({ user: 'ann' })
  expect(await original.lookUp(key), 'there it is gone').toBeNull()
  await original.pool.query("update sessions.session set previous_until = now() - interval '1 ms'")
  expect(await read(new Visitor(sessions, key))).toEqual({})
  expect(await read(ann)).toEqual({ user: 'ann' })
  expect(ann.token, 'the new one stays').toBe(token)
})

test('a session that ended after it moved does not come back, whatever its key', async () => {
  const sessions = open()
  const key = await original.begin({ user: 'ann' })
  const [row] = (
    await original.pool.query('select * from wai_pg_sessions where session_key = $1', [key])
  ).rows
  const ann = new Visitor(sessions, key)
  await ann.visit((session) => session.signOut())
  expect(await original.keys()).not.toContain(key)
  await original.pool.query(
    'insert into wai_pg_sessions select * from jsonb_populate_record(null::wai_pg_sessions, $1)',
    [JSON.stringify(row)],
  )
  expect(await read(new Visitor(sessions, key)), 'a row that was put back').toEqual({})
})

test('a session that clearSession has marked loses its key at once, with nothing left of a grace', async () => {
  const sessions = open()
  const key = await original.begin({ user: 'ann' })
  await original.pool.query('update wai_pg_sessions set session_invalidate_key = true')
  const ann = new Visitor(sessions, key)
  expect(await read(ann)).toEqual({ user: 'ann' })
  expect(await read(new Visitor(sessions, key))).toEqual({})
  expect(await read(ann)).toEqual({ user: 'ann' })
})

test('sixteen requests at once move a session once, and all find it', async () => {
  const sessions = open()
  const other = open()
  const key = await original.begin({ user: 'ann', d: '1' })
  const visitors = Array.from({ length: 16 }, (_, i) => new Visitor(i % 2 ? sessions : other, key))
  const found = await Promise.all(visitors.map(read))
  expect(found).toEqual(visitors.map(() => ({ user: 'ann', d: '1' })))
  const counted = await original.pool.query(
    'select count(*)::int as n from sessions.session where expires_at > now()',
  )
  expect(counted.rows).toEqual([{ n: 1 }])
})

test('the mapping says what a session holds and whose it is', async () => {
  const sessions = open({
    map: ({ entries, createdAt, lastAccessAt }) => ({
      userId: entries.get('user') ?? null,
      data: { old: createdAt.getTime() <= lastAccessAt.getTime(), basket: ['tea'] },
    }),
  })
  const ann = new Visitor(sessions, await original.begin({ user: 'ann' }))
  expect(await read(ann)).toEqual({ old: true, basket: ['tea'] })
  expect(await sessions.listByUser('ann')).toHaveLength(1)
})

test('a mapping that leaves a session leaves it to the original', async () => {
  const key = await original.begin({ user: 'ann' })
  const sessions = open({ map: () => null })
  const problems = problemsOf(sessions)
  expect(await read(new Visitor(sessions, key))).toEqual({})
  expect(problems).toEqual([])
  expect(await original.lookUp(key)).not.toBeNull()
})

test('a session that cannot move says why, and stays there', async () => {
  const key = await original.begin({ user: 'ann' })
  const maps: [string, () => { data: Data; userId?: string }][] = [
    [
      'the mapping threw',
      () => {
        throw new TypeError('secret')
      },
    ],
    ['a key or value that the codec json refuses', () => ({ data: { odd: () => 1 } })],
    ['the mapping gave no usable userId', () => ({ data: {}, userId: '' })],
    ['the mapping gave no data', () => ({}) as { data: Data }],
  ]
  for (const [problem, map] of maps) {
    const sessions = open({ map })
    const problems = problemsOf(sessions)
    expect(await read(new Visitor(sessions, key))).toEqual({})
    expect(problems).toEqual([problem])
  }
  expect(await original.lookUp(key)).not.toBeNull()
})

test('an entry of another type, or of more than 4 MiB, counts as absent, and the user stays signed in', async () => {
  const key = await original.begin({ user: 'ann' })
  await original.pool.query(
    `insert into wai_pg_session_data (wai_pg_session, key, value) values
       ($1, '\\x00', '\\x00'), ($1, null, '\\x00'), ($1, '\\x000000000000000161', '\\x07'),
       ($1, '\\x000000000000000162', decode(repeat('00', 4194305), 'hex'))`,
    [await original.lookUp(key)],
  )
  const strict = open({ dropUndecodable: false })
  const problems = problemsOf(strict)
  expect(await read(new Visitor(strict, key))).toEqual({})
  expect(problems).toEqual(['an entry that is not of the given types, or larger than 4 MiB'])

  const sessions = open()
  const lost: (string | null)[] = []
  sessions.on('decodeFailed', (event) => lost.push(event.key))
  const ann = new Visitor(sessions, key)
  expect(await read(ann)).toEqual({ user: 'ann' })
  expect(lost.sort()).toEqual(['a', 'b', null])
  await ann.visit((session) => session.set('a', 'new'))
  expect(await read(ann)).toEqual({ user: 'ann', a: 'new' })
  expect(lost, 'told once').toHaveLength(3)
})

test('an entry that the codec refuses, or whose key is too long, costs no other entry', async () => {
  const long = 'k'.repeat(3000)
  const key = await original.begin({ user: 'ann', '': 'empty', 'with\0nul': 'x', [long]: 'x' })
  await original.pool.query(
    // A half of a surrogate pair, which a Haskell Char may be.
    "insert into wai_pg_session_data (wai_pg_session, key, value) values ($1, '\\x000000000000000173', '\\x0000000000000001eda080')",
    [await original.lookUp(key)],
  )
  const strict = open({ dropUndecodable: false })
  const problems = problemsOf(strict)
  expect(await read(new Visitor(strict, key))).toEqual({})
  expect(problems).toEqual(['a key or value that the codec json refuses'])

  const sessions = open()
  const lost: (string | null)[] = []
  sessions.on('decodeFailed', (event) => lost.push(event.key))
  expect(await read(new Visitor(sessions, key))).toEqual({ user: 'ann', '': 'empty' })
  expect(lost.sort()).toEqual([long, 's', 'with\0nul'].sort())
})

test('a session whose times are out of the range of a date moves', async () => {
  for (const [created, accessed] of [
    ['0', '9223372036854775807'],
    ['-9223372036854775808', '8640000000001'],
    ['9223372036854775807', String(Math.round(Date.now() / 1000))],
  ]) {
    const key = await original.begin({ user: 'ann' })
    await original.pool.query(
      'update wai_pg_sessions set session_created_at = $2, session_last_access = $3 where session_key = $1',
      [key, created, accessed],
    )
    expect(await read(new Visitor(open(), key)), `${created} ${accessed}`).toEqual({ user: 'ann' })
  }
})

test('a session of more than 4 MiB moves whole', async () => {
  const big = Object.fromEntries(
    Array.from({ length: 3 }, (_, n) => [`big ${n}`, 'x'.repeat(1_500_000)]),
  )
  const ann = new Visitor(open({ deadline: '30s' }), await original.begin({ user: 'ann', ...big }))
  expect(await read(ann)).toEqual({ user: 'ann', ...big })
})

test('old tables of the same names with another shape are named, and no user counts as a stranger', async () => {
  const key = await original.begin({ user: 'ann' })
  await original.pool.query('alter table wai_pg_sessions rename session_last_access to seen_at')
  await expect(read(new Visitor(open(), key))).rejects.toThrow(
    'not those of wai-session-postgresql: wai_pg_sessions has no column session_last_access',
  )
})

test('keys and values may be of any types', async () => {
  const settings = fromWai({
    database: fromPg(original.pool),
    key: cereal.string,
    value: cereal.bytes,
    map: ({ entries }) => ({ data: { length: entries.get('user')?.length } }),
  })
  const sessions = createSessions<Data>({ ...settings, log: false })
  opened.push(sessions)
  const ann = new Visitor(sessions, await original.begin({ user: 'ann' }))
  expect(await read(ann)).toEqual({ length: 3 })
})

test('a login here ends the old key at once, and no other user gets the session', async () => {
  const sessions = open()
  const key = await original.begin({ basket: 'tea' })
  const ann = new Visitor(sessions, key)
  await ann.visit((session) => session.signIn('ann'))
  expect(await read(new Visitor(sessions, key))).toEqual({})
  expect(await read(ann)).toEqual({ basket: 'tea' })
})

test('a visitor with no key, an odd key or an unknown one asks nothing of the old tables twice', async () => {
  const sessions = open()
  for (const token of [null, 'x', `${'a'.repeat(24)}\0`, 'ab'.repeat(24), 'ab'.repeat(1000)]) {
    const stranger = new Visitor(sessions, token)
    expect(await read(stranger)).toEqual({})
  }
})

test('an entry that the original is just adding comes along: the move waits for it, and sees it', async () => {
  const key = await original.begin({ user: 'ann' })
  const id = (await original.lookUp(key)) as string
  const writer = await original.pool.connect()
  await writer.query('begin')
  await writer.query(
    "insert into wai_pg_session_data (wai_pg_session, key, value) values ($1, '\\x000000000000000174', '\\x0000000000000000')",
    [id],
  )
  const found = read(new Visitor(open(), key))
  const waiting =
    "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
  try {
    await expect.poll(async () => (await original.pool.query(waiting)).rowCount).toBe(1)
  } finally {
    await writer.query('commit')
    writer.release()
  }
  expect(await found).toEqual({ user: 'ann', t: '' })
})
