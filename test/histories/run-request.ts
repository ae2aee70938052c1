import { SessionGoneError, StoreUnavailableError, TooManySessionsError } from 'pg-sessions'
import type { Exchange } from 'pg-sessions/adapter'
import type { Browser } from './browser.ts'
import type { Deed, Entries } from './history.ts'
import { PendingChanges } from './pending-changes.ts'
import type { Request, Step } from './program.ts'
import { type Call, type Outcome, RequestNotes, type View } from './request-notes.ts'
import { foreignValue, makeValue } from './value.ts'
import type { World } from './world.ts'

type Data = Record<string, string>

/** Thrown to end a request after a call that failed: a handler would let the error through. */
class RequestFailed extends Error {}

/** Makes one request as an adapter would, and notes what it did and was answered. */
export async function runRequest(
  world: World,
  browser: Browser,
  process: number,
  { age, steps }: Request,
): Promise<void> {
  const token = browser.tokenOf(age)
  const exchange = world.sessions(process).open(token === null ? null : `__Host-id=${token}`)
  const run = new RequestRun(world, browser, exchange, token)
  try {
    await run.load()
    for (const step of steps) await run.step(step)
    await run.save('commit')
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error
    exchange.discard()
  }
  browser.obey(exchange.head.setCookies)
}

class RequestRun {
  readonly #world: World
  readonly #browser: Browser
  readonly #exchange: Exchange<Data>
  readonly #shown: string | null
  readonly #notes: RequestNotes
  readonly #pending = new PendingChanges()

  constructor(world: World, browser: Browser, exchange: Exchange<Data>, shown: string | null) {
    this.#world = world
    this.#browser = browser
    this.#exchange = exchange
    this.#shown = shown
    this.#notes = new RequestNotes(world.recorder)
  }

  async load(): Promise<void> {
    const { recorder } = this.#world
    const { session } = this.#exchange
    const token = this.#shown
    const nothing = { id: null, userId: null, token }
    const call = await this.#call('load', () => session.load(), nothing)
    if (call.outcome !== 'done') throw new RequestFailed()
    if (token === null) return
    const known = recorder.sessionOf(token)
    if (session.id !== null && session.id !== known) {
      recorder.complain(`the token of session ${known} opened session ${session.id}`)
    }
    if (known === undefined) return
    const deed: Deed =
      session.id === null
        ? { kind: 'refused', token }
        : {
            kind: 'load',
            token,
            userId: session.userId,
            isElevated: await session.elevatedWithin('30d'),
            entries: this.#entries(),
          }
    this.#notes.loaded(known, call, deed, session.actor)
  }

  async step(step: Step): Promise<void> {
    const { session } = this.#exchange
    switch (step.do) {
      case 'write': {
        // The left and the right hand always hold the same.
        const pair = this.#newValue(false)
        for (const key of step.keys) {
          const isPair = key === 'left' || key === 'right'
          const value = isPair ? pair : this.#newValue(key === 'large')
          session.set(key, value)
          this.#pending.set(key, value)
        }
        return step.saves ? this.save('save') : undefined
      }
      case 'delete':
        if (!(await session.has(step.key))) return
        session.delete(step.key)
        this.#pending.delete(step.key)
        return step.saves ? this.save('save') : undefined
      case 'update':
        return this.#update('log')
      case 'take':
        return this.#take(step.key)
      case 'rotate':
        session.rotate()
        this.#pending.rotate()
        return step.saves ? this.save('save') : undefined
      case 'set lifetime':
        if (session.actor !== null) return
        session.setLifetime({ idleTimeout: '40d', absoluteTimeout: '80d' })
        this.#pending.setLifetime()
        return step.saves ? this.save('save') : undefined
      case 'clear':
      case 'destroy':
        session[step.do]()
        this.#pending.end(step.do)
        return step.saves ? this.save('save') : undefined
      case 'sign out':
        // It would end the administrator's own session by a second call, of which no answer tells.
        if (session.actor !== null) return
        this.#pending.end('destroy')
        return this.save('sign out')
      case 'sign in':
        return this.#signIn(step.userId)
      case 'elevate':
        return this.#elevate()
      case 'tag':
        return this.#tag([step.tag], [])
      case 'untag':
        return this.#tag([], [step.tag])
      case 'describe':
        return this.#describe()
      case 'act as':
        return this.#actAs(step.userId)
      case 'end acting':
        return this.#endActing()
    }
  }

  async save(how: 'save' | 'commit' | 'sign out'): Promise<void> {
    const { session } = this.#exchange
    const pending = this.#pending.take()
    const call = await this.#call(how, async () => {
      if (how === 'save') await session.save()
      else if (how === 'sign out') await session.signOut()
      else await this.#exchange.commit()
    })
    this.#notes.saved(call, pending, how === 'commit')
    this.#settle(call)
  }

  async #update(key: string): Promise<void> {
    if (this.#pending.areThere) await this.save('save')
    let asked: { readonly seen: string | undefined; readonly next: string } | null = null
    const piece = this.#newValue(false)
    const call = await this.#call('update', () =>
      this.#exchange.session.update(key, (seen) => {
        if (seen !== undefined) this.#checkValue(key, seen)
        const next = seen === undefined ? piece : `${seen},${piece}`
        asked = { seen, next }
        return next
      }),
    )
    const { seen, next } = asked ?? { seen: undefined, next: piece }
    // Without a value to change, nothing was asked of the store.
    if (asked !== null || call.outcome === 'gone') {
      this.#notes.note(call, { kind: 'update', key, seen, next })
    }
    this.#settle(call)
  }

  async #take(key: string): Promise<void> {
    if (this.#pending.areThere) await this.save('save')
    const { session } = this.#exchange
    // What the request does not see costs no question.
    if (session.id === null || !(await session.has(key))) return
    let taken: string | undefined
    const call = await this.#call('take', async () => {
      taken = await session.take(key)
      if (taken !== undefined) this.#checkValue(key, taken)
    })
    const lost: Deed = { kind: 'save', written: new Map(), deleted: [key], change: null }
    this.#notes.note(call, call.outcome === 'unknown' ? lost : { kind: 'take', key, taken })
    this.#settle(call)
  }

  async #signIn(userId: string): Promise<void> {
    if (this.#exchange.session.actor !== null) return
    const pending = this.#pending.take()
    const evicted: string[] = []
    const call = await this.#call('sign in', () =>
      this.#world.collectEvicted(evicted, () => this.#exchange.session.signIn(userId)),
    )
    this.#notes.signedIn(call, userId, pending)
    if (this.#world.beyondTwo !== 'live') this.#notes.evicted(call, userId, evicted)
    this.#settle(call)
    const user = call.after.userId
    if (user !== userId) this.#world.recorder.complain(`${userId} signed in and became ${user}`)
  }

  async #elevate(): Promise<void> {
    const { session } = this.#exchange
    if (this.#pending.areThere) await this.save('save')
    if (session.userId === null || session.actor !== null) return
    const call = await this.#call('elevate', () => session.elevate({ factor: 'totp' }))
    this.#notes.elevated(call)
    this.#settle(call)
    if (await session.elevatedWithin('30d')) return
    this.#world.recorder.complain('a factor that was proved does not count')
  }

  async #tag(added: readonly string[], removed: readonly string[]): Promise<void> {
    const { session } = this.#exchange
    if (this.#pending.areThere) await this.save('save')
    if (session.id === null) return
    let tags: readonly string[] | null = null
    const call = await this.#call('tag', async () => {
      tags = await (added.length > 0 ? session.tag(...added) : session.untag(...removed))
    })
    this.#notes.note(call, { kind: 'tag', added, removed, tags })
    this.#settle(call)
  }

  async #describe(): Promise<void> {
    const { session } = this.#exchange
    if (this.#pending.areThere) await this.save('save')
    if (session.id === null) return
    const label = this.#newValue(false)
    const call = await this.#call('describe', () => session.describe({ label }))
    this.#notes.note(call, { kind: 'describe', label })
    this.#settle(call)
  }

  async #actAs(userId: string): Promise<void> {
    const { session } = this.#exchange
    if (this.#pending.areThere) await this.save('save')
    const actor = session.userId
    if (actor === null || session.actor !== null) return
    const call = await this.#call('act as', () => session.signIn(userId, { actor, atMost: '20d' }))
    this.#notes.acted(call, call.outcome === 'done')
    if (call.outcome !== 'done') throw new RequestFailed()
  }

  async #endActing(): Promise<void> {
    const { session } = this.#exchange
    if (this.#pending.areThere) await this.save('save')
    const { actor } = session
    if (actor === null) return
    let isBack = false
    const call = await this.#call('end acting', async () => {
      isBack = await session.endImpersonation()
    })
    const issued = this.#issued
    this.#notes.cameBack(call, actor, isBack, issued === call.before.token ? null : issued)
    if (call.outcome !== 'done' || !isBack) throw new RequestFailed()
  }

  #settle(call: Call): void {
    this.#notes.began(call, () => this.#entries())
    if (call.outcome !== 'done') throw new RequestFailed()
  }

  #newValue(isLarge: boolean): string {
    const userId = this.#pending.endsSession ? null : this.#view.userId
    return makeValue(this.#browser.number, userId, isLarge)
  }

  /** The session as the request knows it, once it has loaded it. */
  get #view(): View {
    const { id, userId } = this.#exchange.session
    return { id, userId, token: id === null ? null : this.#issued }
  }

  /** The token that the response carries, or else the one that the request showed. */
  get #issued(): string | null {
    const [cookie = ''] = this.#exchange.head.setCookies
    const token = /^__Host-id=([^;]*);/.exec(cookie)?.[1] ?? this.#shown
    return token === '' ? null : token
  }

  /** What the request sees. The session has been loaded, so nothing is asked. */
  #entries(): Entries {
    const entries = new Map(Object.entries(this.#exchange.session.data as Data))
    for (const [key, value] of entries) this.#checkValue(key, value)
    if (entries.get('left') !== entries.get('right')) {
      this.#world.recorder.complain('a request saw half of a save')
    }
    return entries
  }

  #checkValue(key: string, value: string): void {
    const { number } = this.#browser
    const problem = foreignValue(value, number, this.#view.userId)
    if (problem === null) return
    this.#world.recorder.complain(`browser ${number} was given ${problem} under ${key}`)
  }

  async #call(name: string, ask: () => Promise<unknown>, given?: View): Promise<Call> {
    const { recorder } = this.#world
    const before = given ?? this.#view
    const begin = recorder.now()
    const outcome = await this.#outcomeOf(name, ask)
    const end = outcome === 'unknown' ? Number.POSITIVE_INFINITY : recorder.now()
    return { before, after: given ?? this.#view, outcome, begin, end }
  }

  async #outcomeOf(name: string, ask: () => Promise<unknown>): Promise<Outcome> {
    try {
      await this.#world.watched(name, ask())
      return 'done'
    } catch (error) {
      if (error instanceof SessionGoneError) return 'gone'
      if (error instanceof StoreUnavailableError) return error.outcome
      // Nothing has happened, as if it had never been sent.
      if (error instanceof TooManySessionsError && this.#world.beyondTwo === 'refuse') return 'none'
      this.#world.recorder.complain(`${name} failed with ${String(error)}`)
      return 'wrong'
    }
  }
}
