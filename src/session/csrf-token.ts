import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const BYTES = 32

/**
 * Makes a token for forms out of a session's own: an HMAC, which tells nothing of it, under a fresh mask, so
 * that compressed pages do not give it away byte by byte (BREACH).
 */
export function makeCsrfToken(token: string): string {
  const mask = randomBytes(BYTES)
  return Buffer.concat([mask, masked(proofOf(token), mask)]).toString('base64url')
}

/** Whether a form's token was made of this token. Takes the same time however much of it is right. */
export function isCsrfToken(token: string, given: unknown): boolean {
  if (typeof given !== 'string' || given.length > 200) return false
  const bytes = Buffer.from(given, 'base64url')
  if (bytes.length !== 2 * BYTES) return false
  const proof = masked(bytes.subarray(BYTES), bytes.subarray(0, BYTES))
  return timingSafeEqual(proof, proofOf(token))
}

function proofOf(token: string): Buffer {
  return createHmac('sha256', token).update('pg-sessions csrf token').digest()
}

function masked(bytes: Buffer, mask: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index] ?? 0)))
}
