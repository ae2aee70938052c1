/** What clients did and were answered: the history that the checker compares with the model. */

/** When something happened, in the order of this process: a larger number is later. */
export type Moment = number

/** The keys that programs use. */
export type EntryKey = 'a' | 'b' | 'log' | 'left' | 'right' | 'large'

/** A value as its text; every value is written once only, and says whose it is. */
export type Entries = ReadonlyMap<string, string>

/** What an operation did to one session, or saw of it. */
export type Deed =
  /** The session began. */
  | {
      readonly kind: 'begin'
      readonly token: string
      readonly userId: string | null
      /** Whether an administrator acts as the user in it, so that it depends on their own session. */
      readonly isActing?: boolean
      readonly entries: Entries
    }
  /** A request with this token found the session live. */
  | {
      readonly kind: 'load'
      readonly token: string
      readonly userId: string | null
      readonly isElevated: boolean
      readonly entries: Entries
    }
  /** A request with this token was anonymous. */
  | { readonly kind: 'refused'; readonly token: string }
  /** Keys were written and deleted together; with a token, it may have been replaced by another one. */
  | {
      readonly kind: 'save'
      readonly written: Entries
      readonly deleted: readonly string[]
      readonly change: TokenChange | null
    }
  /** A value was replaced if it was the one seen; undefined stands for none. */
  | {
      readonly kind: 'update'
      readonly key: string
      readonly seen: string | undefined
      readonly next: string
    }
  | { readonly kind: 'take'; readonly key: string; readonly taken: string | undefined }
  /** The session ended, or had ended before. */
  | { readonly kind: 'end'; readonly token: string }
  /** The session ended because its token worked, and another one began; or it had ended before. */
  | { readonly kind: 'replace'; readonly token: string }
  /** The request was told that its session is gone. */
  | { readonly kind: 'told gone'; readonly needsToken: string | null }
  /** `destroyById` with or without an owner, and whether it ended the session. */
  | {
      readonly kind: 'end by id'
      readonly owner: string | null
      readonly ended: boolean
    }
  | { readonly kind: 'end by user'; readonly userId: string }
  | { readonly kind: 'end by tag'; readonly tag: string }
  | { readonly kind: 'end all' }
  /** A sign-in of this user elsewhere has ended the session, since it was one too many. */
  | { readonly kind: 'evicted'; readonly userId: string }
  /** Whether a list of this user's sessions shows it, and how. */
  | { readonly kind: 'list'; readonly userId: string; readonly shown: Shown | null }
  | { readonly kind: 'list by tag'; readonly tag: string; readonly shown: Shown | null }
  /** Tags came and went. The tags that it had then are null if no answer came. */
  | {
      readonly kind: 'tag'
      readonly added: readonly string[]
      readonly removed: readonly string[]
      readonly tags: readonly string[] | null
    }
  | { readonly kind: 'describe'; readonly label: string }
  /** An administrator stopped acting as a user in this session. */
  | { readonly kind: 'end acting'; readonly token: string }
  /** An administrator came back to this session of theirs, and was given a token; null if no answer tells it. */
  | { readonly kind: 'come back'; readonly userId: string; readonly to: string | null }
  /** A session of an administrator that depends on this one of theirs was found live. */
  | { readonly kind: 'needed'; readonly userId: string }
  /** Time passed for the store: a short while ends every grace, a long one every session. */
  | { readonly kind: 'time passes'; readonly isLong: boolean }

/** A session as lists show it. */
export interface Shown {
  readonly label: string | null
  readonly tags: readonly string[]
}

/** How a token came to be replaced. */
export interface TokenChange {
  /**
   * `rotate` and `sign in` leave the old token dead. `renew` leaves it a grace. `lifetime` and `elevate` are
   * rotations that are refused as a whole when the token does not work.
   */
  readonly kind: 'rotate' | 'lifetime' | 'elevate' | 'renew' | 'sign in'
  readonly from: string
  /** The new token; null if the request got none. */
  readonly to: string | null
  readonly userId?: string
}

/** One operation on one session. */
export interface Operation {
  /** Its place in the history. */
  readonly index: number
  /** The request that made it; operations of one request saw the same sign-in. */
  readonly request: number
  readonly begin: Moment
  /** When it was answered; `Infinity` if its outcome is unknown, since it may be applied at any time. */
  readonly end: Moment
  readonly deed: Deed
}

/** Everything that happened in one run of a program. */
export interface History {
  /** By session id. */
  readonly sessions: ReadonlyMap<string, readonly Operation[]>
  /** What was wrong at first sight: an unexpected error, a value of another session, a call that ran too long. */
  readonly complaints: readonly string[]
}
