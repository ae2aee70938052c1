import type { Deadline } from '../store/deadline.ts'
import type { ChangeSet } from './change-set.ts'
import type { SignIn } from './sign-in.ts'

/** One save of one request. */
export interface Save {
  readonly changes: ChangeSet
  /** The user to sign in with it; null for none. */
  readonly signIn: SignIn | null
  /** The second factor that the user has proved; null for none. Takes a new token. */
  readonly factor: string | null
  /** Whether a token whose time has come is renewed with it: the response can carry the new one. */
  readonly mayRenew: boolean
  readonly deadline: Deadline
}
