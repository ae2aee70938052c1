import { WaiStore } from 'pg-sessions/haskell'
import { fromPg } from 'pg-sessions/pg'
import type { NewSession, Precondition, SessionStore, SessionTimes } from 'pg-sessions/store'
import { type StoreHarness, storeContract, type TestRunner } from 'pg-sessions/testing'
import { expect, it } from 'vitest'
import { shareDatabase } from './shared-database.ts'

/**
 * The contract of stores, on the original's tables, but for what these cannot hold. Each sentence that
 * does not apply is listed here with the reason.
 */
const INAPPLICABLE: readonly (readonly [reason: string, sentence: RegExp])[] = [
  [
    'no users',
    /with its user|by its user|(an|the) owner|else's dead|another user's expired|user's (sessions|dead|at once)/,
  ],
  ['no users', /same user|another user's session/],
  ['no users', /sign-in|signs (a user )?in|signed over|proof of who|proves|authenticated at its/],
  ['no users', /\blist(s|ed|ing)\b|users apart|ends a user's|hold the hash of a token/],
  [
    'no lifetime of one session',
    /idle timeout|(?<!reached its )absolute|new lifetime|both deadlines/,
  ],
  [
    'no lifetime of one session',
    /without deadlines|without one|created with|nothing but the times/,
  ],
  ['no lifetime of one session', /saves the rest|by a rotation as|tells when|answers a save with/],
  [
    'no grace',
    /sealed|reused|renew|grace|token before|token in force was issued|every token|kills|overlap|prolongs/,
  ],
  ['no purge bound beside the deadline', /purge bound (ahead|is past|backwards)/],
  [
    'the store gives the ids',
    /over another|over a dead one|id of the successor|claim one id|who create it at once/,
  ],
  [
    'whole seconds',
    /moment of its creation|as it answered the first|successor of a session with times/,
  ],
]

/**
 * Shows the store as the contract knows one: callers name a session by an id of theirs and its token by
 * any 32 bytes. The id stands for the row's, and the bytes in hexadecimal are the key. Whose a session
 * is and when it ends at the latest, which no row can hold, is remembered here or dropped.
 */
function asTheContractKnowsIt(store: SessionStore): SessionStore {
  const rowIds = new Map<string, string>()
  const users = new Map<string, string | null>()
  const keyOf = (hash: Uint8Array): Uint8Array => Buffer.from(Buffer.from(hash).toString('hex'))
  const rowId = (id: string): string => rowIds.get(id) ?? id
  const idOf = (row: string): string => [...rowIds].find(([, it]) => it === row)?.[0] ?? row
  const userOf = (id: string): string | null => users.get(id) ?? null
  const guard = <Guard extends Precondition>(it: Guard): Guard => {
    return { ...it, id: rowId(it.id), userId: it.userId === userOf(it.id) ? null : 'another user' }
  }
  const begun = (session: NewSession, row: string | undefined): void => {
    rowIds.set(session.id, String(row))
    users.set(session.id, session.userId)
  }
  const inside = (session: NewSession): NewSession => ({
    ...session,
    id: '',
    userId: null,
    secretHash: keyOf(session.secretHash),
    absolute: Number.POSITIVE_INFINITY,
  })
  return {
    name: store.name,
    ready: () => store.ready(),
    async load({ id, secretHashes }) {
      const result = await store.load({
        id: rowId(id),
        secretHashes: secretHashes.filter(({ length }) => length === 32).map(keyOf),
      })
      if (result.status === 'live') {
        const { version: _, isRotationDue: __, ...record } = result.record
        const own = idOf(record.id)
        const rest = { ...timesOf(record), id: own, userId: userOf(own) }
        return { status: 'live', record: { ...record, ...rest } }
      }
      if (result.status === 'unknown') return result
      return { ...result, id: idOf(result.id), userId: userOf(idOf(result.id)) }
    },
    async create(session) {
      const result = await store.create(inside(session))
      if (result.status !== 'created') return result
      begun(session, result.id)
      return { ...result, times: timesOf(result.times) }
    },
    async save(change) {
      const token = change.credentials?.token
      const credentials = token && {
        credentials: {
          ...change.credentials,
          token: { ...token, from: token.from.map(keyOf), to: keyOf(token.to) },
        },
      }
      const result = await store.save({ ...guard(change), ...credentials })
      return result.status === 'gone' ? result : { ...result, times: timesOf(result.times) }
    },
    async replace(ended, successor) {
      const result = await store.replace(
        { ...guard(ended), secretHashes: ended.secretHashes.map(keyOf) },
        inside(successor),
      )
      if (result.status !== 'created') return result
      begun(successor, result.id)
      return { ...result, times: timesOf(result.times) }
    },
    update: (update) => store.update(guard(update)),
    take: (entry) => store.take(guard(entry)),
    touch: (touch) => store.touch({ ...touch, id: rowId(touch.id) }),
    async destroy({ secretHashes, ...ending }, call) {
      const shown = secretHashes && { secretHashes: secretHashes.map(keyOf) }
      const result = await store.destroy({ ...ending, ...shown, id: rowId(ending.id) }, call)
      return result.status === 'ended' ? { ...result, userId: userOf(ending.id) } : result
    },
    listByUser: (userId) => store.listByUser(userId),
    destroyByUser: (userId, except) => store.destroyByUser(userId, except),
    count: () => store.count(),
    purge: (limit) => store.purge(limit),
    close: () => store.close(),
  }
}

/** Without the half second that the last second of life has more, since the clock is rounded. */
function timesOf(times: SessionTimes): SessionTimes {
  const { createdAt, authenticatedAt, lastAccessAt, tokenIssuedAt, absoluteExpiresAt, now } = times
  const expiresAt = times.expiresAt - 500
  const rest = { expiresAt, purgeAt: expiresAt, now }
  return { createdAt, authenticatedAt, lastAccessAt, tokenIssuedAt, absoluteExpiresAt, ...rest }
}

const shared = shareDatabase()

async function open(): Promise<StoreHarness> {
  const store = new WaiStore({ driver: fromPg(shared.pool), timeout: '1h' })
  await store.ready()
  return {
    store: asTheContractKnowsIt(store),
    elapse: (milliseconds) => shared.elapse(Math.round(milliseconds / 1000)),
    dispose: () => store.close(),
  }
}

const [held, leftOut]: [string[], string[]] = [[], []]

const runner: TestRunner = {
  // Without groups: some would be empty, which is a failure to vitest.
  describe: (_name, body) => body(),
  it(sentence, body) {
    const isApplicable = !INAPPLICABLE.some(([, pattern]) => pattern.test(sentence))
    ;(isApplicable ? held : leftOut).push(sentence)
    if (isApplicable) it(sentence, body)
  },
}

storeContract(runner, open)

it('more than half of the contract holds, and no reason to leave a part out is idle', () => {
  expect(held.length).toBeGreaterThan(leftOut.length)
  for (const [, pattern] of INAPPLICABLE) expect(leftOut.some((it) => pattern.test(it))).toBe(true)
})
