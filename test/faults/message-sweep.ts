import { isDeepStrictEqual } from 'node:util'
import { StoreUnavailableError } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { type FaultProxy, type Side, startFaultProxy } from 'pg-sessions/testing'
import { expect } from 'vitest'
import { Deadline } from '../../src/store/deadline.ts'
import { pooledTransaction, type SweptDriver, TransactionFailed } from './swept-drivers.ts'
import {
  IN_DOUBT,
  type SweptOperation,
  type SweptSession,
  type SweptStore,
} from './swept-session.ts'
import type { SweptTables } from './swept-tables.ts'

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
export async function sweep(tables: SweptTables, plan: Sweep): Promise<Swept> {
  const expected = await withoutFault(tables, plan)
  const met = { messages: 0, answered: 0, none: 0, unknown: 0 }
  const told = new Set<string | null>()
  const feed = plan.operation.ends ? await tables.store.listen?.((id) => told.add(id)) : null
  try {
    for (;;) {
      const { happened, outcomes } = await attempt(tables, plan, met.messages + 1, expected, told)
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

async function withoutFault(tables: SweptTables, plan: Sweep): Promise<Expected> {
  const session = await arrange(tables, plan)
  const before = await tables.stored(session)
  const store = tables.storeOn(fromPg(tables.pool), joinsOf(plan))
  const answer = await plan.operation.call(store, session, pooledTransaction(tables.pool))
  await store.close()
  return { before, after: await tables.stored(session), answer }
}

async function attempt(
  tables: SweptTables,
  plan: Sweep,
  count: number,
  expected: Expected,
  told: ReadonlySet<string | null>,
): Promise<{ happened: boolean; outcomes: readonly Outcome[] }> {
  await using proxy = await startFaultProxy(tables.url)
  const { driver, close, transaction } = await plan.open(proxy.url)
  const joins = joinsOf(plan)
  const store = tables.storeOn(driver, { deadline: DEADLINE, ...joins })
  const used = plan.fault === 'swallow' ? hurried(store, plan.isWarm) : store
  try {
    if (plan.isWarm) {
      const patient = tables.storeOn(driver, joins)
      await plan.operation.call(patient, await arrange(tables, plan), transaction)
      await patient.close()
    }
    const sessions = await Promise.all(
      Array.from({ length: plan.calls }, () => arrange(tables, plan)),
    )
    let happened = false
    let isDisarmed = false
    void arm(proxy, plan, count, () => isDisarmed).then(() => {
      happened = true
    })
    const outcomes = await Promise.all(
      sessions.map((session) => outcomeOf(plan.operation.call(used, session, transaction))),
    )
    if (plan.fault === 'swallow') {
      // The announcement that follows has no caller to hurry it, so it would wait for as long as the store.
      isDisarmed = true
      await proxy.pass()
    }
    await untilServerIsDone(tables)
    const where = `at message ${count} of the ${plan.side}`
    for (const [n, session] of sessions.entries()) {
      const left = await tables.stored(session)
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

function joinsOf({ operation }: Sweep): { readonly joinsUser: boolean } {
  return { joinsUser: operation.joinsUser === true }
}

/** Gives each call a deadline of its own. What the store does beside its calls keeps the store's. */
function hurried(store: SweptStore, isWarm: boolean): SweptStore {
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
    if (error instanceof TransactionFailed) return error.outcome
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

/** Begins the session that a call is about. */
export async function arrange(
  tables: SweptTables,
  { operation }: Pick<Sweep, 'operation'>,
): Promise<SweptSession> {
  const { store } = tables
  const wanted = tables.session()
  const transaction = pooledTransaction(tables.pool)
  const begun =
    operation.begin === undefined
      ? await store.create(wanted)
      : await operation.begin(store, wanted, transaction)
  const session = { ...wanted, id: idOf(begun) ?? wanted.id }
  await tables.age(session)
  return session
}

/** The id that the store has given, where it does. */
function idOf(begun: unknown): string | undefined {
  return (begun as { readonly id?: string } | undefined)?.id
}

/** What was sent before the fault is done, or dropped. */
async function untilServerIsDone({ pool }: SweptTables): Promise<void> {
  const others = `select pid, query from pg_stat_activity
    where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`
  const busy = async () => (await pool.query(others)).rows
  await expect.poll(busy, { interval: 5, timeout: 10_000 }).toEqual([])
}
