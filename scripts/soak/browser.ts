import type { ApplicationProcess } from './application-process.ts'
import { Crowd } from './crowd.ts'
import { DeadTokens } from './dead-tokens.ts'
import { type Act, type Answer, KEEPS_SESSION, largeValue } from './protocol.ts'
import type { Random } from './random.ts'
import type { SoakReport } from './report.ts'
import { LANDING_TIME, SessionModel } from './session-model.ts'
import { Trail } from './trail.ts'

/**
 * One visitor: goes from process to process with one cookie, and compares what comes back with what it was
 * told. It waits for the answers of a step before it goes on, so what an acknowledged step has left is known.
 */
export class Browser {
  readonly #name: string
  readonly #random: Random
  readonly #report: SoakReport
  readonly #applications: readonly ApplicationProcess[]
  #token: string | null = null
  #model: SessionModel
  readonly #dead: DeadTokens
  readonly #trail = new Trail()
  readonly #crowd: Crowd
  #sessions = 0
  #writes = 0
  /** How long a sign-in whose answer got lost may still end other sessions of the user. */
  #mayBeEvictedUntil = 0

  constructor(
    name: string,
    applications: readonly ApplicationProcess[],
    random: Random,
    report: SoakReport,
  ) {
    this.#name = name
    this.#applications = applications
    this.#random = random
    this.#report = report
    this.#model = this.#anotherSession()
    this.#dead = new DeadTokens(random, (act, token) => this.#ask(act, token))
    this.#crowd = new Crowd(`${name} elsewhere`, (act) => this.#ask(act, null))
  }

  async browse(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#step()
      await new Promise((resolve) => setTimeout(resolve, this.#random.below(60)))
    }
    await this.check()
  }

  /** Reads the session, and says when it is not what it should be. */
  async check(): Promise<void> {
    const answer = await this.#ask({ kind: 'read' })
    if (answer.outcome !== 'done') return
    const { content = {}, user = null, id = null, isElevated = false } = answer
    const fault = this.#model.fault(content, user, isElevated)
    if (fault !== null) this.#violation(fault)
    if (id === null || fault !== null) this.#begin()
  }

  async #step(): Promise<void> {
    const chance = this.#random.next()
    if (this.#token === null) return this.#beginSession()
    if (chance < 0.3) return this.check()
    if (chance < 0.6) return this.#writeAtOnce()
    if (chance < 0.66) return this.#takeTwice()
    if (chance < 0.75) return this.#changeToken()
    if (chance < 0.8) return this.#nameSession()
    if (chance < 0.83) return this.#complain(await this.#crowd.signIn())
    if (chance < 0.86 && this.#model.user !== null) return this.#impersonate()
    if (chance < 0.92) return this.#complain(await this.#dead.replay())
    if (chance < 0.925) return void (await this.#ask({ kind: 'purge' }))
    if (chance < 0.93) return void (await this.#ask({ kind: 'reseal' }))
    return this.#endSession()
  }

  async #beginSession(): Promise<void> {
    const value = { tag: this.#model.tag, n: 0 }
    const act: Act = { kind: 'set', key: 'tag', value }
    const answer = await this.#ask(act)
    if (answer.outcome !== 'done') return this.#begin()
    this.#model.id = answer.id ?? null
    this.#model.note(act, answer)
  }

  /** Different keys and a counter, at once on several processes: all of it must be kept. */
  async #writeAtOnce(): Promise<void> {
    const model = this.#model
    const { tag } = model
    const acts: Act[] = [0, 1, 2]
      .slice(0, 1 + this.#random.below(3))
      .map((n) => this.#changeOf(`key ${n}`, tag))
    if (this.#random.next() < 0.5) acts.push({ kind: 'add', tag }, { kind: 'add', tag })
    const answers = await Promise.all(acts.map((act) => this.#ask(act)))
    acts.forEach((act, index) => {
      this.#note(model, act, answers[index] as Answer)
    })
  }

  #changeOf(key: string, tag: string): Act {
    const chance = this.#random.next()
    if (chance < 0.25) return { kind: chance < 0.12 ? 'delete' : 'remove', key }
    const n = ++this.#writes
    return { kind: 'set', key, value: chance < 0.35 ? largeValue(tag, n) : { tag, n } }
  }

  async #takeTwice(): Promise<void> {
    const model = this.#model
    const { tag } = model
    const notice: Act = { kind: 'set', key: 'notice', value: { tag, n: ++this.#writes } }
    const set = await this.#ask(notice)
    this.#note(model, notice, set)
    if (model !== this.#model) return
    const take: Act = { kind: 'take' }
    const answers = await Promise.all([this.#ask(take), this.#ask(take)])
    for (const answer of answers) this.#note(model, take, answer)
    const got = answers.filter(({ taken }) => taken !== undefined && taken !== null)
    const foreign = got.find(({ taken }) => taken?.tag !== tag)
    if (foreign) this.#violation(`took a value of ${foreign.taken?.tag}`)
    if (got.length > 1) this.#violation('one value was taken twice')
    const areDone = [set, ...answers].every(({ outcome }) => outcome === 'done')
    if (areDone && got.length === 0 && !model.mayHaveEnded) {
      this.#violation('a value was taken by none')
    }
  }

  async #changeToken(): Promise<void> {
    const model = this.#model
    const acts: Act[] = [
      { kind: 'rotate' },
      { kind: 'setLifetime' },
      { kind: 'signIn', user: this.#name },
    ]
    if (model.user !== null) acts.push({ kind: 'elevate' })
    const act = this.#random.pick(acts)
    const before = this.#token as string
    const answer = await this.#ask(act)
    this.#note(model, act, answer)
    if (model !== this.#model) return
    if (answer.outcome === 'done' && this.#token !== before) this.#bury(before, `a ${act.kind}`)
  }

  /** A tag and a device, which the list of the user shows. */
  async #nameSession(): Promise<void> {
    const model = this.#model
    const acts: Act[] = [
      { kind: this.#random.next() < 0.3 ? 'untag' : 'tag', tag: model.tag },
      { kind: 'describe', n: ++this.#writes },
    ]
    const answers = await Promise.all(acts.map((act) => this.#ask(act)))
    acts.forEach((act, index) => {
      this.#note(model, act, answers[index] as Answer)
    })
    const user = this.#name
    const { listed } = await this.#ask({ kind: 'list', user }, null)
    if (listed === undefined || model !== this.#model) return
    this.#complain(model.listFault(listed))
    const { listed: tagged } = await this.#ask({ kind: 'listByTag', tag: model.tag }, null)
    if (tagged !== undefined) this.#complain(model.taggedFault(tagged))
    if (model.id === null) return
    const exported = await this.#ask({ kind: 'export', user, id: model.id }, null)
    if (exported.outcome === 'done') this.#complain(model.exportFault(exported.content))
  }

  /** The user acts as another one for a while, and goes back under a new token. */
  async #impersonate(): Promise<void> {
    const model = this.#model
    const before = this.#token as string
    const began = await this.#ask({ kind: 'actAs', user: 'acted' }, before, true)
    if (began.outcome !== 'done' || typeof began.token !== 'string') return
    const { token } = began
    const seen = await this.#ask({ kind: 'read' }, token, true)
    if (seen.outcome === 'done' && seen.user !== 'acted' && !model.mayHaveEnded) {
      this.#violation(`an administrator who acts as a user reads as ${seen.user}`)
    }
    const act: Act = { kind: 'endActing' }
    const back = await this.#ask(act, token, true)
    model.note(act, back)
    if (back.outcome === 'failed') return
    // A call that failed has come back if the response has brought a token.
    if ((back.outcome === 'unknown' || back.ended === true) && typeof back.token === 'string') {
      if (back.id !== model.id) this.#violation(`went back to session ${back.id}`)
      this.#bury(before, 'an impersonation')
      this.#bury(token, 'an impersonation')
      this.#token = back.token
      return
    }
    if (back.outcome !== 'unknown' && !model.mayHaveEnded) {
      this.#violation(`no way back from an impersonation: ${back.error ?? 'it has ended'}`)
    }
    this.#begin()
  }

  async #endSession(): Promise<void> {
    const model = this.#model
    const { id } = model
    const kinds = ['clear', 'destroy', 'signOut', 'endByTag', 'others'] as const
    const kind = this.#random.pick(kinds)
    if (kind === 'endByTag') return this.#endByTag()
    if (kind === 'others') return id === null ? undefined : this.#endFromElsewhere(id)
    const before = this.#token as string
    const next = this.#nextTag()
    const act: Act = kind === 'clear' ? { kind, value: { tag: next, n: 0 } } : { kind }
    const answer = await this.#ask(act)
    this.#note(model, act, answer)
    if (answer.outcome !== 'done' || model !== this.#model) return
    this.#bury(before, `a ${kind}`)
    if (kind === 'clear' && typeof answer.token === 'string') {
      this.#model = new SessionModel(next, this.#mayBeEvictedUntil)
      this.#model.id = answer.id ?? null
      this.#model.note({ kind: 'set', key: 'tag', value: { tag: next, n: 0 } }, answer)
    } else this.#begin()
  }

  /** The application ends the session, without its token. */
  async #endFromElsewhere(id: string): Promise<void> {
    const model = this.#model
    const before = this.#token as string
    const act = this.#random.pick<Act>([
      { kind: 'revoke', id },
      { kind: 'endByUser', user: this.#name },
      { kind: 'endInTransaction', id, commits: true },
      { kind: 'endInTransaction', id, commits: false },
    ])
    const answer = await this.#ask(act, null)
    const { mayHaveEnded } = model
    if (answer.outcome === 'done') this.#complain(model.endFault(act, answer))
    model.note(act, answer)
    // A sign-in that was lost has left no user to the model, and a token that works no more.
    if (answer.outcome !== 'done' || mayHaveEnded || !model.mayHaveEnded) return
    this.#bury(before, `an ${act.kind}`)
    this.#begin()
  }

  async #endByTag(): Promise<void> {
    const model = this.#model
    const before = this.#token as string
    const act: Act = { kind: 'endByTag', tag: model.tag }
    const answer = await this.#ask(act, null)
    if (answer.outcome === 'done') this.#complain(model.tagFault(answer.ended === true))
    model.note(act, answer)
    if (answer.ended !== true || model !== this.#model) return
    this.#bury(before, 'an end by tag')
    this.#begin()
  }

  /** Notes an answer, and says when a session was refused or missed that must be there. */
  #note(model: SessionModel, act: Act, answer: Answer): void {
    if (answer.outcome === 'done' && KEEPS_SESSION.has(act.kind) && answer.id !== model.id) {
      // Its token had died on the way, so it has acted on a session of its own, or on none.
      if (!model.mayHaveEnded) this.#violation(`${act.kind} has missed session ${model.id}`)
      return
    }
    model.note(act, answer)
    if (answer.outcome !== 'refused' || model.mayHaveEnded) return
    this.#violation(`${act.kind} was refused: ${answer.error}`)
  }

  /** @param isApart - Whether the response's token is not for the browser. */
  async #ask(act: Act, token: string | null = this.#token, isApart = false): Promise<Answer> {
    const model = this.#model
    const process = this.#random.below(this.#applications.length)
    const sentAt = performance.now()
    const answer = await (this.#applications[process] as ApplicationProcess).ask(token, act)
    this.#trail.add({ act, answer, token, process, sentAt, answeredAt: performance.now() })
    this.#report.count(act, answer)
    if (!answer.isExpected) this.#violation(`${act.kind}: ${answer.error}`)
    const isForBrowser = !isApart && token === this.#token
    if (answer.token !== undefined && isForBrowser) this.#receive(act, answer.token)
    if (act.kind === 'signIn' && act.user === this.#name && answer.outcome === 'unknown') {
      this.#mayBeEvictedUntil = performance.now() + LANDING_TIME
    }
    if (answer.outcome === 'done' && answer.id === model.id) model.worked(sentAt)
    return answer
  }

  #complain(fault: string | null): void {
    if (fault !== null) this.#violation(fault)
  }

  #violation(text: string): void {
    const { id } = this.#model
    this.#report.violation(`${this.#name}: ${text}`, { trail: this.#trail, id })
  }

  #receive(act: Act, token: string | null): void {
    const before = this.#token
    this.#token = token
    const isAnother = before !== null && token !== null && idOf(token) !== idOf(before)
    if (!isAnother || act.kind === 'clear') return
    // What was written with a token that had died has begun another session.
    if (!this.#model.mayHaveEnded) {
      this.#violation(`${act.kind} has begun another session`)
    }
    this.#begin()
  }

  #bury(token: string, why: string): void {
    this.#dead.add({ token, tag: this.#model.tag, why })
  }

  #begin(): void {
    this.#token = null
    this.#model = this.#anotherSession()
  }

  #anotherSession(): SessionModel {
    return new SessionModel(this.#nextTag(), this.#mayBeEvictedUntil)
  }

  #nextTag(): string {
    this.#sessions += 1
    return `${this.#name}.${this.#sessions}`
  }
}

/** The part of a token that says whose session it is. */
function idOf(token: string): string {
  return token.slice(0, 22)
}
