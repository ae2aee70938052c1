import { randomBytes } from 'node:crypto'

/** Made at the first call: Cloudflare's runtime gives no random bytes while modules load. */
let ofThisProcess: string | undefined
let calls = 0

/**
 * A text that no other call sends, in this process or in another.
 *
 * A statement sends it along, and its answer gives it back. An answer that a client hands to the wrong
 * caller is recognised by that.
 */
export function freshProof(): string {
  calls += 1
  ofThisProcess ??= randomBytes(6).toString('base64url')
  return `${ofThisProcess}${calls.toString(36)}:`
}
