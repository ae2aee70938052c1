import assert from 'node:assert/strict'
import type {
  CredentialChange,
  Grace,
  NewSession,
  SessionStore,
} from '../../store/session-store.ts'
import type { StoreHarness } from './harness.ts'
import { begin, bytes, randomHash, save, statusOf } from './samples.ts'

/** Milliseconds. */
export const SECOND = 1000

export const grace: Grace = { duration: 60 * SECOND, successor: bytes('sealed') }

/** How long a token works on once its successor was shown. */
export const overlap: number = 10 * SECOND

/** The renewal of a token, with a new random one unless `to` is given. */
export function renewal(
  from: Uint8Array,
  to: Uint8Array = randomHash(),
): Required<Pick<CredentialChange, 'token'>> {
  return { token: { from: [from], to, grace } }
}

/** Renews a token and tells whether that was done. */
export async function renew(
  store: SessionStore,
  session: NewSession,
  from: Uint8Array,
  to: Uint8Array,
): Promise<boolean> {
  return (await save(store, session, { credentials: renewal(from, to) })).rotated
}

export interface Renewed {
  readonly session: NewSession
  /** The token before the renewal, and the one after it. */
  readonly old: Uint8Array
  readonly current: Uint8Array
}

export async function beginRenewed(
  { store }: StoreHarness,
  details: Partial<NewSession> = {},
): Promise<Renewed> {
  const session = await begin(store, details)
  const current = randomHash()
  assert.equal(await renew(store, session, session.secretHash, current), true)
  return { session, old: session.secretHash, current }
}

export async function liveOf(
  store: SessionStore,
  session: NewSession,
  hashes: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const live: Uint8Array[] = []
  for (const hash of hashes) if ((await statusOf(store, session, hash)) === 'live') live.push(hash)
  return live
}
