import type { Act, Answer } from './protocol.ts'
import { LANDING_TIME } from './session-model.ts'

/** Sign-ins of one user on several processes at once, of which the cap leaves one session. */
export class Crowd {
  readonly #user: string
  readonly #ask: (act: Act) => Promise<Answer>
  /** How long a sign-in whose answer got lost may still land. */
  #landsUntil = 0

  /** @param ask - Sends a request without a token. */
  constructor(user: string, ask: (act: Act) => Promise<Answer>) {
    this.#user = user
    this.#ask = ask
  }

  /** Signs in, and says what is wrong about the sessions that are left; null for nothing. */
  async signIn(): Promise<string | null> {
    const user = this.#user
    const answers = await Promise.all([1, 2, 3].map(() => this.#ask({ kind: 'signIn', user })))
    const { listed } = await this.#ask({ kind: 'list', user })
    const hasLanded = performance.now() > this.#landsUntil
    const isAnyUnknown = answers.some(({ outcome }) => outcome === 'unknown')
    if (isAnyUnknown) this.#landsUntil = performance.now() + LANDING_TIME
    if (listed === undefined) return null
    if (listed.length > 1) return `${user} has ${listed.length} sessions`
    const areDone = answers.every(({ outcome }) => outcome === 'done')
    const isOneOfThem = answers.some(({ id }) => id === listed[0]?.id)
    return areDone && hasLanded && !isOneOfThem ? 'none of several sign-ins is left' : null
  }
}
