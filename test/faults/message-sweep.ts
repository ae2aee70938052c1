import { isDeepStrictEqual } from 'node:util'
import { PostgresStore, StoreUnavailableError } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { type FaultProxy, type Side, startFaultProxy } from 'pg-sessions/testing'
import { expect } from 'vitest'
import { Deadline } from '../../src/store/deadline.ts'
import type { PostgresStoreHarness } from '../support/postgres-store.ts'
import {
  IN_DOUBT,
  type SweptOperation,
  type SweptSession,
  sweptSession,
} from './swept-operations.ts'

/** A driver beyond a proxy. */
export interface SweptDriver {
  readonly driver: Driver
  close(): Promise<void>
}

/** What happens at a message. */
export type Fault = 'cut after' | 'cut before' | 'cut for good' | 'slice' | 'delay' | 'swallow'

export interface Sweep {
  readonly open: (url: string) => Promise<SweptDriver>
  readonly operation: SweptOperation
  readonly side: Side
  readonly fault: Fault
  /** How many calls on as many sessions are made at the same time. */
  readonly calls: number
  /** Whether the driver is connected and has prepared the statement. */
  readonly isWarm: boolean
}

/** How one call ended. */
type Outcome = { readonly answer: unknown } | 'none' | 'unknown'

/** What a sweep has met. */
export interface Swept {
  readonly messages: number
  readonly answered: number
  readonly none: number
  readonly unknown: number
}

/** Milliseconds: long enough for every retry, and for announcements on a busy machine. */
const DEADLINE = 20_000

/** Milliseconds that a call takes of which a message is swallowed: long enough to send all of them. */
const HURRY = { warm: 300, cold: 1500 }

/**
 * Lets a fault happen at the first message of one side, then at the second, and so on, until the calls need no
 * more messages. Each time, what every call was told must agree with what the database holds.
 */
export async function sweep(harness: PostgresStoreHarness, plan: Sweep): Promise<Swept> {
  const expected = await withoutFault(harness, plan)
  const met = { messages: 0, answered: 0, none: 0, unknown: 0 }
  const told = new Set<string | null>()
  const feed = plan.operation.ends ? await harness.store.listen((id) => told.add(id)) : null
  try {
    for (;;) {
      const { happened, outcomes } = await attempt(harness, plan, met.messages + 1, expected, told)
      if (!happened) return met
      met.messages += 1
      for (const outcome of outcomes) met[typeof outcome === 'string' ? outcome : 'answered'] += 1
    }
  } finally {
    await feed?.stop()
  }
}

interface Expected {
  readonly before: unknown
  readonly after: unknown
  readonly answer: unknown
}

async function withoutFault(harness: PostgresStoreHarness, plan: Sweep): Promise<Expected> {
  const session = await arrange(harness, plan)
  const before = await stored(harness, session)
  const answer = await plan.operation.call(harness.store, session)
  return { before, after: await stored(harness, session), answer }
}

async function attempt(
  harness: PostgresStoreHarness,
  plan: Sweep,
  count: number,
  expected: Expected,
  told: ReadonlySet<string | null>,
): Promise<{ happened: boolean; outcomes: readonly Outcome[] }> {
  await using proxy = await startFaultProxy(harness.database.url)
  const { driver, close } = await plan.open(proxy.url)
  const store = new PostgresStore({ driver, migrate: 'off', deadline: `${DEADLINE}ms` })
  const used = plan.fault === 'swallow' ? hurried(store, plan.isWarm) : store
  try {
    if (plan.isWarm) {
      const patient = new PostgresStore({ driver, migrate: 'off' })
      await plan.operation.call(patient, await arrange(harness, plan))
      await patient.close()
    }
    const sessions = await Promise.all(
      Array.from({ length: plan.calls }, () => arrange(harness, plan)),
    )
    let happened = false
    let isDisarmed = false
    void arm(proxy, plan, count, () => isDisarmed).then(() => {
      happened = true
    })
    const outcomes = await Promise.all(
      sessions.map((session) => outcomeOf(plan.operation.call(used, session))),
    )
    if (plan.fault === 'swallow') {
      // The announcement that follows has no caller to hurry it, so it would wait for as long as the store.
      isDisarmed = true
      await proxy.pass()
    }
    await untilServerIsDone(harness)
    const where = `at message ${count} of the ${plan.side}`
    for (const [n, session] of sessions.entries()) {
      const left = await stored(harness, session)
      agree(outcomes[n] as Outcome, left, expected, where)
      const hasEnded = isDeepStrictEqual(left, expected.after)
      if (!plan.operation.ends || !hasEnded || plan.fault === 'cut for good') continue
      await expect
        .poll(() => told.has(session.id), { message: `announced ${where}`, timeout: 10_000 })
        .toBe(true)
    }
    if (plan.fault === 'cut for good') await proxy.pass()
    return { happened, outcomes }
  } finally {
    await store.close()
    await close()
  }
}

/** Gives each call a deadline of its own. What the store does beside its calls keeps the store's. */
function hurried(store: PostgresStore, isWarm: boolean): PostgresStore {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...given: unknown[]): unknown => {
        if (given.length >= method.length) return Reflect.apply(method, target, given)
        // The options are the last parameter of each.
        const options = { deadline: new Deadline(isWarm ? HURRY.warm : HURRY.cold) }
        const args = [...given, ...new Array(method.length - 1 - given.length), options]
        return Reflect.apply(method, target, args)
      }
    },
  })
}

/** The outcome that a call was told agrees with what is stored. */
function agree(outcome: Outcome, left: unknown, expected: Expected, where: string): void {
  const { before, after, answer } = expected
  if (outcome === 'none') expect(left, `nothing written ${where}`).toEqual(before)
  else if (outcome === 'unknown')
    expect([before, after], `all or nothing ${where}`).toContainEqual(left)
  else {
    expect(left, `applied ${where}`).toEqual(after)
    if (outcome.answer !== IN_DOUBT) expect(outcome.answer, `answer ${where}`).toEqual(answer)
  }
}

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    return { answer: await call }
  } catch (error) {
    expect(error).toBeInstanceOf(StoreUnavailableError)
    return (error as StoreUnavailableError).outcome
  }
}

/** Resolves when the fault has happened. */
async function arm(
  proxy: FaultProxy,
  { side, fault }: Sweep,
  count: number,
  isDisarmed: () => boolean,
): Promise<void> {
  let left = count
  const match = ({ from }: { readonly from: Side }): boolean =>
    from === side && !isDisarmed() && --left === 0
  switch (fault) {
    case 'cut after':
      return proxy.cutAfter(side, count)
    case 'cut before':
      return proxy.cutBefore(match)
    case 'cut for good':
      await proxy.cutAfter(side, count)
      return proxy.refuse()
    case 'slice':
      return proxy.slice(match)
    case 'delay':
      await proxy.hold(match)
      setTimeout(() => proxy.pass(), 10)
      return
    case 'swallow':
      return proxy.hold(match)
  }
}

async function arrange(
  { store }: PostgresStoreHarness,
  { operation }: Sweep,
): Promise<SweptSession> {
  const session = sweptSession()
  await (operation.begin?.(store, session) ?? store.create(session))
  return session
}

/** What is stored of a session and of the one that a call may begin, but for ids and times. */
async function stored(
  { pool }: PostgresStoreHarness,
  { id, userId, fresh }: SweptSession,
): Promise<unknown> {
  const { rows } = await pool.query(
    `select s.id = $1 as is_first, encode(s.secret_hash, 'hex') as hash,
       encode(s.previous_hash, 'hex') as previous, encode(s.sealed_successor, 'hex') as sealed,
       case when s.user_id = $3 then 'the same' else s.user_id end as user, s.sign_ins,
       array_remove(s.tags, 'of ' || $3) as tags, s.device::text as device, s.factor,
       s.actor_id as actor, s.purge_at - s.created_at > interval '2 hours' as was_touched,
       (select json_object_agg(encode(key, 'escape'), length(value)::text || left(encode(value, 'escape'), 9) order by key)
        from sessions.session_data where session_id = s.id) as entries
     from sessions.session as s where s.id in ($1, $2) order by is_first`,
    [id, fresh.id, userId],
  )
  return rows
}

/** What was sent before the fault is done, or dropped. */
async function untilServerIsDone({ pool }: PostgresStoreHarness): Promise<void> {
  const others = `select pid, query from pg_stat_activity
    where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`
  const busy = async () => (await pool.query(others)).rows
  await expect.poll(busy, { interval: 5, timeout: 10_000 }).toEqual([])
}
