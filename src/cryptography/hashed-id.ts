import { sha256 } from './sha256.ts'

/**
 * Gives the UUID that stands for a secret text, always the same: the first 128 bits of SHA-256 over the domain and the
 * text, marked as version 8. It does not give the text away.
 *
 * @param domain - Keeps these ids apart from every other SHA-256 over the same text. Never changes.
 * @see RFC 9562, section 5.8.
 */
export function hashedId(domain: string, text: string): string {
  const digest = sha256(domain + text)
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = digest.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
