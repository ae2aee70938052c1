import { randomBytes } from 'node:crypto'
import { ConfigurationError } from '../errors.ts'
import type { IssuedToken, TokenFormat } from '../session/token.ts'

/** What keys look like. */
export interface WaiTokenOptions {
  /** Random bytes of a new key, as `ratherSecureGen` takes them; 16 to 1024. Defaults to 24. */
  readonly bytes?: number
  /**
   * What a cookie must be to be looked up, when the original has a generator of its own
   * (`storeSettingsKeyGen`). It must match the whole of a key: `/^[A-Za-z0-9]{32}$/`. Whatever it says,
   * keys are printable ASCII. Defaults to what `ratherSecureGen` makes of `bytes` bytes: as many
   * lower-case hexadecimal digits at least, and at most twice as many.
   */
  readonly accept?: RegExp
}

/**
 * Makes and reads the keys of wai-session-postgresql as tokens: the cookie holds the key, and so does
 * the table, in clear.
 *
 * A new key is the full hexadecimal spelling of its bytes, so that different bytes give different keys;
 * the original, which drops the zero of each byte below 16, takes keys of any length. It has one
 * spelling: the database compares it as it is. A cookie that cannot be a key (a NUL in it, say) is
 * refused without asking the database.
 *
 * @throws {ConfigurationError} An option is wrong; says what to write.
 * @example
 * ```ts
 * import { waiTokens } from 'pg-sessions/haskell'
 *
 * const { token } = waiTokens().issue() // 48 digits, such as '13d3712f9f35…'
 * ```
 */
export function waiTokens(options: WaiTokenOptions = {}): TokenFormat {
  const bytes = checkedBytes(options.bytes ?? 24)
  const accept = checkedPattern(options.accept ?? new RegExp(`^[0-9a-f]{${bytes},${2 * bytes}}$`))
  const reissue = (id: string): IssuedToken => {
    const token = randomBytes(bytes).toString('hex')
    return { id, token, secretHash: keyBytes(token) }
  }
  return {
    issue: () => reissue(''),
    reissue,
    read(token) {
      if (!accept.test(token) || !KEY.test(token)) return null
      return { id: '', secretHashes: [keyBytes(token)] }
    },
  }
}

/** The key that a caller shows as bytes; null when it can be none. */
export function keyOf(bytes: Uint8Array): string | null {
  if (bytes.length > LONGEST_KEY) return null
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return KEY.test(key) ? key : null
}

function keyBytes(key: string): Uint8Array {
  return Buffer.from(key, 'latin1')
}

const LONGEST_KEY = 4096
/** What a cookie can hold, RFC 6265 section 4.1.1, and any encoding of a database can compare. */
const KEY = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,4096}$/

function checkedBytes(bytes: number): number {
  if (Number.isInteger(bytes) && bytes >= 16 && bytes <= 1024) return bytes
  throw new ConfigurationError(
    `bytes must be a whole number from 16 to 1024, as ratherSecureGen was given; it is ${String(bytes)}.`,
  )
}

function checkedPattern(accept: RegExp): RegExp {
  const isWhole = accept instanceof RegExp && /^\^.*\$$/s.test(accept.source)
  if (isWhole && !accept.global && !accept.sticky && !accept.multiline) return accept
  throw new ConfigurationError(
    'accept must be a regular expression for the whole of a key, without the flags g, m and y: /^[A-Za-z0-9]{32}$/',
  )
}
