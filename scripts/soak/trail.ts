import type { Act, Answer } from './protocol.ts'

/** Requests of a session that a violation shows. */
const LENGTH = 30

/** One request and its answer. */
export interface Step {
  readonly act: Act
  readonly answer: Answer
  readonly token: string | null
  /** Which process of the application. */
  readonly process: number
  /** By `performance.now()`. */
  readonly sentAt: number
  readonly answeredAt: number
}

/** The latest requests of one browser, so that a violation can show what led to it. */
export class Trail {
  readonly #steps: Step[] = []

  add(step: Step): void {
    this.#steps.push(step)
    if (this.#steps.length > LENGTH) this.#steps.shift()
  }

  /** A line for each request, in the order of their answers. @param begin - When the soak began. */
  lines(begin: number): string[] {
    return this.#steps.map(({ act, answer, token, process, sentAt, answeredAt }) => {
      const seconds = (at: number): string => ((at - begin) / 1000).toFixed(3)
      const received = answer.token === undefined ? '' : `, receives ${tokenName(answer.token)}`
      return (
        `${seconds(sentAt)} to ${seconds(answeredAt)} s, process ${process}: ${actName(act)} ` +
        `with ${tokenName(token)}: ${answer.outcome} on ${answer.id ?? 'no session'}${received}${details(answer)}`
      )
    })
  }
}

function actName(act: Act): string {
  if (act.kind === 'set') return `set ${act.key} = ${act.value.n}`
  return act.kind
}

/** Enough of a token to tell it from the others of its session. */
function tokenName(token: string | null): string {
  return token === null ? 'no token' : `token …${token.slice(-6)}`
}

function details({ content, taken, error }: Answer): string {
  if (error !== undefined) return `; ${error}`
  if (taken !== undefined) return `; took ${taken?.n ?? 'nothing'}`
  if (content === undefined) return ''
  const values = Object.entries(content).map(([key, value]) => `${key} = ${value.n}`)
  return `; read ${values.join(', ') || 'nothing'}`
}
