import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { idsOf, outcomesOf, times } from './answers.ts'
import { type Act, type Answer, CAP } from './protocol.ts'
import { type RacingProcesses, startRacingProcesses } from './racing-processes.ts'

/*
 * What a user's sign-ins, tags, second factors, impersonations and sealed values do on two processes at once. In the end,
 * the database holds what the answers have promised, and no more.
 */

let processes: RacingProcesses

beforeAll(async () => {
  processes = await startRacingProcesses()
})
afterAll(() => processes[Symbol.asyncDispose]())
beforeEach(() => processes.pool.query('delete from sessions.session'))

const GONE = 'ERR_SESSION_GONE'
/** Begins sessions one after the other by what a request does, and gives their cookies and ids. */
async function begin(count: number, act: Act): Promise<{ cookie: string; id: string }[]> {
  const { answers } = await processes.race(
    times(count, () => act),
    [],
  )
  return answers[0].map(({ cookie, id }) => ({ cookie: cookie ?? '', id: id ?? '' }))
}

const read = (cookie: string | null | undefined): Promise<Answer> =>
  processes.ask({ do: 'read', cookie: cookie ?? null })

describe('a cap of sessions for each user', () => {
  /** 25 sign-ins: of strangers, of visitors who have a session, and of another user's browser. */
  async function signIns(cap: 'end-oldest' | 'refuse', name: string): Promise<Act[]> {
    const visitors = await begin(8, { do: 'set', key: 'basket', value: 'apple' })
    const others = await begin(8, { do: 'sign in', userId: `bob ${name}` })
    const cookies = [...visitors, ...others].map(({ cookie }) => cookie)
    return times(25, (n) => ({
      do: 'sign in',
      with: cap,
      userId: 'ann',
      cookie: cookies[n] ?? null,
    }))
  }

  test('50 sign-ins at once leave 5, and each of the others is told of once', async () => {
    const [one, other] = [await signIns('end-oldest', '1'), await signIns('end-oldest', '2')]
    const { answers, ended } = await processes.race(one, other)
    const all = answers.flat()
    expect(outcomesOf(all)).toEqual({ done: 50 })
    const left = await processes.stored("user_id = 'ann'")
    const evicted = ended.filter(({ reason }) => reason === 'evicted')
    expect(left).toHaveLength(CAP)
    expect(evicted).toHaveLength(50 - CAP)
    expect(idsOf([...left, ...evicted])).toEqual(idsOf(all))
    const opened = await Promise.all(all.map(({ cookie }) => read(cookie)))
    expect(idsOf(opened.filter(({ id }) => id !== null))).toEqual(idsOf(left))
  })

  test('50 sign-ins at once succeed 5 times where more are refused', async () => {
    const [one, other] = [await signIns('refuse', '1'), await signIns('refuse', '2')]
    const { answers, ended } = await processes.race(one, other)
    const all = answers.flat()
    expect(outcomesOf(all)).toEqual({ done: CAP, ERR_TOO_MANY_SESSIONS: 50 - CAP })
    expect(ended.filter(({ reason }) => reason === 'evicted')).toEqual([])
    const signedIn = all.filter(({ outcome }) => outcome === 'done')
    expect(idsOf(await processes.stored("user_id = 'ann'"))).toEqual(idsOf(signedIn))
    // A refused sign-in leaves the session that it was asked in; one that succeeds leaves its token dead.
    for (const [n, { cookie }] of [...one, ...other].entries()) {
      const isKept = (await read(cookie)).id !== null
      if (cookie) expect(isKept).toBe(all[n]?.outcome !== 'done')
    }
  })
})

describe('tags', () => {
  test('an end by a tag leaves no session that had it, and none that was tagged afterwards is ended', async () => {
    const tag = 'tenant:7'
    const before = await begin(8, { do: 'sign in', userId: 'ann', tags: [tag] })
    const untagged = await begin(16, { do: 'sign in', userId: 'bob' })
    const half = (rest: number): Act[] => [
      ...untagged
        .filter((_, n) => n % 2 === rest)
        .map(({ cookie }): Act => ({ do: 'tag', cookie, tags: [tag] })),
      { do: 'end by tag', tag },
      ...times(8, (n): Act => ({ do: 'sign in', userId: `carl ${n}`, tags: [tag] })),
    ]
    const { answers, ended } = await processes.raceForLocks(half(0), half(1))
    const all = answers.flat()
    const left = await processes.stored('tags @> array[$1]', tag)
    const endedIds = idsOf(ended)
    expect(new Set(endedIds).size).toBe(endedIds.length)
    for (const { id } of before) expect(endedIds).toContain(id)
    expect(countOf(all, ended)).toBe(ended.length)
    for (const { id, outcome } of all.filter((it) => it.id !== null)) {
      const isLeft = left.some((it) => it.id === id)
      // A tag that was acknowledged is there, unless an end found it.
      expect(isLeft, `${id} is ${outcome}`).toBe(outcome === 'done' && !endedIds.includes(id))
    }
    const last = await processes.ask({ do: 'end by tag', tag })
    expect(last.result).toBe(left.length)
    expect(await processes.stored('tags @> array[$1]', tag)).toEqual([])
  })

  test('20 changes of tags at once all stay', async () => {
    const [ann] = await begin(1, { do: 'sign in', userId: 'ann', tags: ['x', 'y', 'z'] })
    const cookie = ann?.cookie ?? ''
    const tag =
      (name: string) =>
      (n: number): Act => ({ do: 'tag', cookie, tags: [`${name}${n}`] })
    const { answers } = await processes.raceForLocks(
      [...times(7, tag('a')), { do: 'untag', cookie, tags: ['x'] }],
      [...times(6, tag('b')), { do: 'untag', cookie, tags: ['y', 'no such tag'] }],
    )
    expect(outcomesOf(answers.flat())).toEqual({ done: 15 })
    const [{ tags = [] } = {}] = await processes.stored('true')
    const expected = [...times(7, (n) => `a${n}`), ...times(6, (n) => `b${n}`), 'z']
    expect([...tags].sort()).toEqual(expected)
  })

  test('no more than 16 are kept of 24 at once, and the others are told', async () => {
    const [ann] = await begin(1, { do: 'sign in', userId: 'ann' })
    const cookie = ann?.cookie ?? ''
    const tag =
      (name: string) =>
      (n: number): Act => ({ do: 'tag', cookie, tags: [`${name}${n}`] })
    const { answers } = await processes.raceForLocks(times(12, tag('a')), times(12, tag('b')))
    expect(outcomesOf(answers.flat())).toEqual({ done: 16, ERR_LIMIT_EXCEEDED: 8 })
    const [{ tags = [] } = {}] = await processes.stored('true')
    expect(tags).toHaveLength(16)
  })

  /** How many sessions the ends by tag say that they have ended. */
  function countOf(all: readonly Answer[], ended: readonly unknown[]): number {
    expect(ended.length).toBeGreaterThan(0)
    return all.reduce((sum, { result }) => sum + (typeof result === 'number' ? result : 0), 0)
  }
})

describe('second factors', () => {
  test('no factor that is proved at once with an end of all of the user brings a session back', async () => {
    const sessions = await begin(20, { do: 'sign in', userId: 'ann' })
    const elevate = sessions.map(({ cookie }): Act => ({ do: 'elevate', cookie }))
    const { answers, ended } = await processes.raceForLocks(
      [...elevate.slice(0, 10), { do: 'end by user', userId: 'ann' }],
      elevate.slice(10),
    )
    const all = answers.flat()
    expect(await processes.stored("user_id = 'ann'")).toEqual([])
    expect(idsOf(ended)).toEqual(idsOf(sessions))
    for (const { outcome } of all) expect(['done', GONE, 'anonymous']).toContain(outcome)
    const opened = await Promise.all(all.map(({ cookie }) => read(cookie)))
    expect(opened.map(({ id }) => id)).toEqual(all.map(() => null))
  })

  test('one of 10 factors at once counts, and only its token works', async () => {
    const [ann] = await begin(1, { do: 'sign in', userId: 'ann' })
    const cookie = ann?.cookie ?? ''
    const elevate = times(5, (): Act => ({ do: 'elevate', cookie }))
    const { answers } = await processes.raceForLocks(elevate, elevate)
    const won = answers.flat().filter(({ outcome }) => outcome === 'done')
    expect(won).toHaveLength(1)
    expect((await read(won[0]?.cookie)).id).toBe(ann?.id)
    expect((await read(cookie)).id).toBeNull()
    expect(await processes.stored('true')).toMatchObject([{ id: ann?.id, isElevated: true }])
  })

  test('a factor that is proved at once with a sign-in counts for the session that it was proved in', async () => {
    const sessions = await begin(12, { do: 'sign in', userId: 'ann' })
    const { answers } = await processes.raceForLocks(
      sessions.map(({ cookie }) => ({ do: 'elevate', cookie })),
      sessions.map(({ cookie }) => ({ do: 'sign in', userId: 'ann', cookie })),
    )
    const stored = await processes.stored('true')
    sessions.forEach(({ id }, n) => {
      const isElevated = answers[0][n]?.outcome === 'done'
      expect(stored.find((it) => it.id === id)?.isElevated).toBe(isElevated)
    })
  })
})

describe('tokens', () => {
  const pairs = (['rotate', 'elevate'] as const).flatMap((change) =>
    (['destroy', 'sign out'] as const).map((end) => [change, end] as const),
  )

  test.each(pairs)('%s beside %s of one token: one of them wins', async (change, end) => {
    const sessions = await begin(10, { do: 'sign in', userId: 'ann' })
    const { answers, ended } = await processes.raceForLocks(
      sessions.map(({ cookie }) => ({ do: change, cookie })),
      sessions.map(({ cookie }) => ({ do: end, cookie })),
    )
    const stored = idsOf(await processes.stored('true'))
    for (const [n, { id, cookie }] of sessions.entries()) {
      const changed = answers[0][n] as Answer
      const hasEnded = answers[1][n]?.outcome === 'done'
      expect(changed.outcome === 'done').toBe(!hasEnded)
      expect(ended.some((it) => it.id === id)).toBe(hasEnded)
      expect(stored.includes(id)).toBe(!hasEnded)
      expect((await read(cookie)).id).toBeNull()
      expect((await read(changed.cookie)).id).toBe(hasEnded ? null : id)
    }
  })

  test('clear beside destroy of one token: the session ends once, and has one successor or none', async () => {
    const sessions = await begin(10, { do: 'sign in', userId: 'ann' })
    const { answers, ended } = await processes.raceForLocks(
      sessions.map(({ cookie }) => ({ do: 'clear', cookie })),
      sessions.map(({ cookie }) => ({ do: 'destroy', cookie })),
    )
    const successors: Answer[] = []
    for (const [n, { id, cookie }] of sessions.entries()) {
      const cleared = answers[0][n] as Answer
      const isCleared = cleared.outcome === 'done'
      if (isCleared) successors.push(await read(cleared.cookie))
      expect(ended.some((it) => it.id === id)).toBe(!isCleared)
      expect((await read(cookie)).id).toBeNull()
    }
    expect(idsOf(await processes.stored('true'))).toEqual(idsOf(successors))
  })

  test('ends of a session in all ways at once end it once', async () => {
    const sessions = await begin(10, { do: 'sign in', userId: 'ann', tags: ['t'] })
    const one = sessions.flatMap(({ id, cookie }): Act[] => [
      { do: 'end by id', id },
      { do: 'destroy', cookie },
    ])
    const { answers, ended } = await processes.raceForLocks(
      [...one, { do: 'end by user', userId: 'ann' }],
      [...one, { do: 'end by tag', tag: 't' }],
    )
    for (const { outcome } of answers.flat()) expect(['done', 'anonymous']).toContain(outcome)
    expect(await processes.stored('true')).toEqual([])
    expect(idsOf(ended)).toEqual(idsOf(sessions))
  })
})

describe('acting as a user', () => {
  async function impersonations(count: number) {
    const own = await begin(count, { do: 'sign in', userId: 'admin' })
    const { answers } = await processes.race(
      own.map(({ cookie }) => ({ do: 'sign in', userId: 'ann', actor: 'admin', cookie })),
      [],
    )
    const acting = answers[0].map(({ cookie, id }) => ({ cookie: cookie ?? '', id: id ?? '' }))
    return { own, acting }
  }

  test('of two ends at once, one goes back to the session of the administrator', async () => {
    const { own, acting } = await impersonations(10)
    const end = acting.map(({ cookie }): Act => ({ do: 'end acting', cookie }))
    const { answers } = await processes.raceForLocks(end, end)
    for (const [n, { id }] of own.entries()) {
      const both = [answers[0][n] as Answer, answers[1][n] as Answer]
      const [back, ...more] = both.filter(({ outcome }) => outcome === 'done')
      expect([back?.result, more]).toEqual([true, []])
      expect((await read(back?.cookie)).id).toBe(id)
      for (const dead of [own[n], acting[n]]) expect((await read(dead?.cookie)).id).toBeNull()
    }
    expect(idsOf(await processes.stored('true'))).toEqual(idsOf(own))
  })

  test('no end brings back a session of the administrator that ends at once', async () => {
    const { own, acting } = await impersonations(12)
    const { answers } = await processes.raceForLocks(
      acting.map(({ cookie }) => ({ do: 'end acting', cookie })),
      own.map(({ id }) => ({ do: 'end by id', id })),
    )
    expect(answers[1].map(({ result }) => result)).toEqual(own.map(() => true))
    for (const { outcome, cookie } of answers[0]) {
      expect(['done', 'anonymous', GONE]).toContain(outcome)
      expect((await read(cookie)).id).toBeNull()
    }
    for (const { cookie } of acting) expect((await read(cookie)).id).toBeNull()
    expect(await processes.stored("user_id = 'admin'")).toEqual([])
  })
})

describe('sealed values', () => {
  test('what is resealed while it is written is what was written last, under the new key', async () => {
    const sessions = await begin(6, { do: 'set', with: 'old key', key: 'note', value: 'old' })
    const counting = (cookie: string): Act => ({ do: 'count', with: 'both keys', cookie })
    await processes.race(
      sessions.map(({ cookie }) => ({ do: 'count', with: 'old key', cookie })),
      [],
    )
    const { answers, unsealed } = await processes.race(
      [
        ...sessions.flatMap(({ cookie }) => times(5, () => counting(cookie))),
        { do: 'reseal', with: 'both keys' },
      ],
      [
        { do: 'reseal', with: 'both keys' },
        ...sessions.map(
          ({ cookie }, n): Act => ({
            do: 'set',
            with: 'both keys',
            cookie,
            key: 'note',
            value: `new ${n}`,
          }),
        ),
      ],
    )
    expect([outcomesOf(answers.flat()), unsealed]).toEqual([{ done: 38 }, 0])
    expect(await processes.ask({ do: 'reseal', with: 'both keys' })).toMatchObject({
      outcome: 'done',
      result: { failed: 0 },
    })
    const after = await processes.race(
      sessions.map(({ cookie }) => ({ do: 'read', with: 'new key', cookie })),
      [],
    )
    expect(after.unsealed).toBe(0)
    expect(after.answers[0].map(({ result }) => result)).toEqual(
      sessions.map((_, n) => ({ userId: null, data: { count: 6, note: `new ${n}` } })),
    )
  })
})
