import { describe, expect, test } from 'vitest'
import { checkHistory } from './check-history.ts'
import type { Deed, Operation } from './history.ts'

/*
 * The checker finds what it is for: histories that no correct store answers, one for each promise. Without these, a
 * checker that accepts everything would look the same as a store that is right.
 */

const NEVER = Number.POSITIVE_INFINITY

/** Operations of one session; each is a request, its span and what it did. */
function check(
  ...all: readonly (readonly [request: number, begin: number, end: number, deed: Deed])[]
) {
  const operations = all.map(
    ([request, begin, end, deed], index): Operation => ({ index, request, begin, end, deed }),
  )
  return checkHistory({ sessions: new Map([['s', operations]]), complaints: [] })
}

const entries = (value?: string) => new Map(value === undefined ? [] : [['a', value]])
const begin = (value?: string): Deed => ({
  kind: 'begin',
  token: 't1',
  userId: null,
  entries: entries(value),
})
const load = (value: string | undefined, token = 't1', userId: string | null = null): Deed => ({
  kind: 'load',
  token,
  userId,
  isElevated: false,
  entries: entries(value),
})
const save = (value: string): Deed => ({
  kind: 'save',
  written: entries(value),
  deleted: [],
  change: null,
})
const changeTo = (to: string, kind: 'rotate' | 'renew' | 'sign in', userId?: string): Deed => ({
  kind: 'save',
  written: new Map(),
  deleted: [],
  change: { kind, from: 't1', to, ...(userId === undefined ? {} : { userId }) },
})
const update = (seen: string | undefined, next: string): Deed => ({
  kind: 'update',
  key: 'a',
  seen,
  next,
})

describe('accepts', () => {
  test('saves at the same time in either order', () => {
    const saves = [
      [1, 1, 2, begin('0')],
      [2, 3, 4, load('0')],
      [3, 5, 6, load('0')],
      [2, 7, 10, save('x')],
      [3, 8, 9, save('y')],
    ] as const
    expect(check(...saves, [4, 11, 12, load('x')])).toEqual([])
    expect(check(...saves, [4, 11, 12, load('y')])).toEqual([])
  })

  test('a save without an answer, applied late or never', () => {
    const lost = [
      [1, 1, 2, begin('0')],
      [1, 3, NEVER, save('x')],
    ] as const
    expect(check(...lost, [2, 5, 6, load('0')], [3, 7, 8, load('x')])).toEqual([])
    expect(check(...lost, [2, 5, 6, load('0')])).toEqual([])
  })

  test('a renewed token in its grace, and after its successor was shown', () => {
    const renewed = [
      [1, 1, 2, begin('0')],
      [1, 3, 4, changeTo('t2', 'renew')],
      [2, 5, 6, load('0')],
      [3, 7, 8, load('0', 't2')],
    ] as const
    expect(check(...renewed, [4, 9, 10, load('0')])).toEqual([])
    expect(check(...renewed, [4, 9, 10, { kind: 'refused', token: 't1' }])).toEqual([])
  })
})

describe('finds', () => {
  const found = [expect.stringContaining('nothing explains')]

  test('a save that was acknowledged and lost', () => {
    expect(check([1, 1, 2, begin('0')], [1, 3, 4, save('x')], [2, 5, 6, load('0')])).toEqual(found)
  })

  test('a save that failed for sure and is there', () => {
    expect(check([1, 1, 2, begin('0')], [2, 5, 6, load('x')])).toEqual(found)
  })

  test('an update that another one has overwritten', () => {
    expect(
      check(
        [1, 1, 2, begin('0')],
        [2, 3, 4, load('0')],
        [1, 5, 8, update('0', '0,x')],
        [2, 6, 7, update('0', '0,y')],
      ),
    ).toEqual(found)
  })

  test('a session that ended and is live', () => {
    const ended = [
      [1, 1, 2, begin('0')],
      [1, 3, 4, { kind: 'end', token: 't1' }],
    ] as const
    expect(check(...ended, [2, 5, 6, load('0')])).toEqual(found)
    expect(check(...ended, [1, 5, 6, save('x')])).toEqual(found)
  })

  test('a session that expired and is live', () => {
    const expired: Deed = { kind: 'time passes', isLong: true }
    expect(check([1, 1, 2, begin('0')], [0, 3, 4, expired], [2, 5, 6, load('0')])).toEqual(found)
  })

  test('two winners of one token', () => {
    expect(
      check(
        [1, 1, 2, begin('0')],
        [1, 3, 6, changeTo('t2', 'rotate')],
        [1, 4, 5, changeTo('t3', 'rotate')],
      ),
    ).toEqual(found)
  })

  test('a token that works after a sign-in', () => {
    expect(
      check(
        [1, 1, 2, begin('0')],
        [1, 3, 4, changeTo('t2', 'sign in', 'ann')],
        [2, 5, 6, load('0', 't1', 'ann')],
      ),
    ).toEqual(found)
  })

  test('a save from before a sign-in that lands after it', () => {
    expect(
      check(
        [1, 1, 2, begin('0')],
        [2, 3, 4, load('0')],
        [1, 5, 6, changeTo('t2', 'sign in', 'ann')],
        [2, 7, 8, save('x')],
      ),
    ).toEqual(found)
  })

  test('a client that was signed out for no reason', () => {
    expect(check([1, 1, 2, begin('0')], [2, 3, 4, { kind: 'refused', token: 't1' }])).toEqual(found)
  })

  test('a notice that two requests took', () => {
    const take: Deed = { kind: 'take', key: 'a', taken: '0' }
    expect(
      check([1, 1, 2, begin('0')], [2, 3, 4, load('0')], [1, 5, 8, take], [2, 6, 7, take]),
    ).toEqual(found)
  })

  test('a session of the user that outlives the end of all of them', () => {
    const all: Deed = { kind: 'end by user', userId: 'ann' }
    expect(
      check(
        [1, 1, 2, begin('0')],
        [1, 3, 4, changeTo('t2', 'sign in', 'ann')],
        [0, 5, 6, all],
        [2, 7, 8, load('0', 't2', 'ann')],
      ),
    ).toEqual(found)
  })

  const signedIn = [
    [1, 1, 2, begin('0')],
    [1, 3, 4, changeTo('t2', 'sign in', 'ann')],
  ] as const
  const tag = (tags: readonly string[]): Deed => ({ kind: 'tag', added: ['t'], removed: [], tags })

  test('a tag that another one has overwritten', () => {
    const other: Deed = { kind: 'tag', added: ['u'], removed: [], tags: ['u'] }
    expect(check([1, 1, 2, begin('0')], [1, 3, 6, tag(['t'])], [1, 4, 5, other])).toEqual(found)
  })

  test('a session with a tag that outlives the end of all of them, or is missing from their list', () => {
    const tagged = [
      [1, 1, 2, begin('0')],
      [1, 3, 4, tag(['t'])],
    ] as const
    const all: Deed = { kind: 'end by tag', tag: 't' }
    expect(check(...tagged, [0, 5, 6, all], [2, 7, 8, load('0')])).toEqual(found)
    const list: Deed = { kind: 'list by tag', tag: 't', shown: null }
    expect(check(...tagged, [0, 5, 6, list])).toEqual(found)
  })

  test('a list without a session, or with what is not said of it', () => {
    const list = (label: string | null): Deed => ({
      kind: 'list',
      userId: 'ann',
      shown: label === null ? null : { label, tags: [] },
    })
    const described = [...signedIn, [1, 5, 6, { kind: 'describe', label: 'd' }]] as const
    expect(check(...described, [0, 7, 8, list('d')])).toEqual([])
    expect(check(...described, [0, 7, 8, list('e')])).toEqual(found)
    expect(check(...described, [0, 7, 8, list(null)])).toEqual(found)
  })

  test('a session that a sign-in has ended and that is live, or that it has ended twice', () => {
    const evicted: Deed = { kind: 'evicted', userId: 'ann' }
    const ended = [...signedIn, [0, 5, 6, evicted]] as const
    expect(check(...ended, [2, 7, 8, load('0', 't2', 'ann')])).toEqual(found)
    expect(check(...ended, [0, 7, 8, evicted])).toEqual(found)
  })

  test('a session of an actor that lives on after the end of the one that it needs', () => {
    const ended: Deed = { kind: 'end', token: 't2' }
    const needed: Deed = { kind: 'needed', userId: 'ann' }
    expect(check(...signedIn, [0, 5, 6, needed], [1, 7, 8, ended])).toEqual([])
    expect(check(...signedIn, [1, 5, 6, ended], [0, 7, 8, needed])).toEqual(found)
  })

  test('a second way back from one session of an actor, or a token from before the first', () => {
    const acting: Deed = {
      kind: 'begin',
      token: 'a1',
      userId: 'bob',
      isActing: true,
      entries: entries(),
    }
    const back: Deed = { kind: 'end acting', token: 'a1' }
    expect(check([1, 1, 2, acting], [1, 3, 6, back], [1, 4, 5, back])).toEqual(found)
    const own = [...signedIn, [1, 5, 6, { kind: 'come back', userId: 'ann', to: 't3' }]] as const
    expect(check(...own, [2, 7, 8, load('0', 't3', 'ann')])).toEqual([])
    expect(check(...own, [2, 7, 8, load('0', 't2', 'ann')])).toEqual(found)
  })

  test('a second factor that was proved in no session, or is forgotten, or counts after a sign-in', () => {
    const elevate: Deed = {
      kind: 'save',
      written: new Map(),
      deleted: [],
      change: { kind: 'elevate', from: 't2', to: 't3' },
    }
    const elevated = [...signedIn, [1, 5, 6, elevate]] as const
    const seen = (token: string, isElevated: boolean): Deed => ({
      kind: 'load',
      token,
      userId: 'ann',
      isElevated,
      entries: entries('0'),
    })
    expect(check(...signedIn, [2, 5, 6, seen('t2', true)])).toEqual(found)
    expect(check(...elevated, [2, 7, 8, seen('t3', true)])).toEqual([])
    expect(check(...elevated, [2, 7, 8, seen('t3', false)])).toEqual(found)
    expect(check(...elevated, [2, 7, 8, seen('t2', true)])).toEqual(found)
  })
})
