import { createHash } from 'node:crypto'

/**
 * The visitors of a benchmark. Everything about a visitor follows from a number, in JavaScript and in
 * SQL alike (`session-tables.ts`), so that rows that SQL made can be used without being read first.
 */
export interface Visitor {
  /** The session's id in our store. */
  readonly id: string
  readonly secret: string
  readonly secretHash: Uint8Array
  /** The session's id in every other store, as long as `express-session` makes them. */
  readonly sid: string
}

/** The first visitor's second of birth: UUIDs of version 7 begin with their time. */
export const FIRST_TIME = 0x0190_0000_0000

export function visitor(index: number): Visitor {
  const random = digest(`id ${index}`)
  const time = (FIRST_TIME + index).toString(16).padStart(12, '0')
  const id = `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-a${random.slice(3, 6)}-${random.slice(6, 18)}`
  const secret = digest(`secret ${index}`)
  return { id, secret, secretHash: createHash('sha256').update(secret).digest(), sid: secret }
}

/** What our cookie says for this visitor. */
export function tokenOf({ id, secret }: Visitor): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url') + secret
}

function digest(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** What each session holds: five keys, as a shop keeps them. */
export const SAMPLE: Readonly<Record<string, unknown>> = {
  name: 'Ann Example',
  basket: [
    { article: 4711, quantity: 2 },
    { article: 815, quantity: 1 },
  ],
  language: 'en-GB',
  csrf: 'WvQ2t0wq9fTnVx3RkzYb5mJcHs8LdAe7',
  visits: 17,
}

/** Half an hour of idling more than any run takes. */
export const IDLE_TIMEOUT = 90 * 60 * 1000

/** Picks visitors in an order that looks random and is the same in every run. */
export function visitorOrder(count: number, seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * count)
  }
}
