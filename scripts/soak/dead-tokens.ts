import type { Act, Answer } from './protocol.ts'
import type { Random } from './random.ts'

/** A token that must open nothing, and whose session it was. */
interface DeadToken {
  readonly token: string
  readonly tag: string
  readonly why: string
}

const MOST = 50

/** The latest tokens of a browser that work no more. */
export class DeadTokens {
  readonly #random: Random
  readonly #ask: (act: Act, token: string) => Promise<Answer>
  readonly #dead: DeadToken[] = []

  constructor(random: Random, ask: (act: Act, token: string) => Promise<Answer>) {
    this.#random = random
    this.#ask = ask
  }

  add(dead: DeadToken): void {
    if (this.#dead.length === MOST) this.#dead.shift()
    this.#dead.push(dead)
  }

  /** Shows one of them, and says when it works; null when it doesn't. */
  async replay(): Promise<string | null> {
    if (this.#dead.length === 0) return null
    const { token, tag, why } = this.#random.pick(this.#dead)
    const { content = {}, user = null } = await this.#ask({ kind: 'read' }, token)
    if (Object.keys(content).length === 0 && user === null) return null
    return `a token of session ${tag} works after ${why}`
  }
}
