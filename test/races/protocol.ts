import { createHash } from 'node:crypto'

/** What a test asks the processes of a race, and what those answer. */

/** Which `createSessions` of the process is asked. */
export type Settings = 'plain' | 'end-oldest' | 'refuse' | 'old key' | 'both keys' | 'new key'

/** The cap of `end-oldest` and `refuse`. */
export const CAP = 5

/** The keys of `old key`, `both keys` and `new key`: 32 bytes in base64. */
export const KEYS: Readonly<Record<'old' | 'new', string>> = {
  old: keyOf('old'),
  new: keyOf('new'),
}

function keyOf(name: string): string {
  return createHash('sha256').update(`the ${name} key`).digest('base64')
}

/** One request, or one call of the application. */
export type Act = {
  readonly with?: Settings
  /** `name=token`; null or absent for a visitor without one. */
  readonly cookie?: string | null
} & Deed

type Deed =
  | { readonly do: 'read' | 'rotate' | 'clear' | 'destroy' | 'sign out' | 'elevate' }
  | { readonly do: 'end acting' | 'count' | 'reseal' }
  | { readonly do: 'set'; readonly key: string; readonly value: string }
  | { readonly do: 'tag' | 'untag'; readonly tags: readonly string[] }
  | {
      readonly do: 'sign in'
      readonly userId: string
      readonly tags?: readonly string[]
      readonly actor?: string
    }
  | { readonly do: 'end by tag'; readonly tag: string }
  | { readonly do: 'end by user'; readonly userId: string }
  | { readonly do: 'end by id'; readonly id: string }

/** How it ended. */
export interface Answer {
  /** `done`, `anonymous` if the token opened nothing, or the code of the error. */
  readonly outcome: string
  /** What the call has returned. */
  readonly result: unknown
  /** The session's id after it; null for none. */
  readonly id: string | null
  /** What the response tells the browser to keep; null to forget it, undefined if it says nothing. */
  readonly cookie?: string | null
}

/** What a process is asked to do at once. */
export interface Question {
  readonly number: number
  readonly acts: readonly Act[]
}

/** What a process did when it was asked to do several things at once. */
export interface Answers {
  /** The question's. */
  readonly number: number
  readonly answers: readonly Answer[]
  /** The sessions that the process has told of as ended meanwhile. */
  readonly ended: readonly { readonly id: string; readonly reason: string | null }[]
  /** How many values could not be decrypted. */
  readonly unsealed: number
}
