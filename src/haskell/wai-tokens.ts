import { randomBytes } from 'node:crypto'
import { ConfigurationError } from '../errors.ts'
import { callback, type OptionTable, option, refuse } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import type { IssuedToken, TokenFormat } from '../session/token.ts'

/** What keys look like. */
export interface WaiTokenOptions {
  /** Random bytes of a new key, as `ratherSecureGen` takes them; 16 to 1024. Defaults to 24. */
  readonly bytes?: number
  /**
   * Makes new keys, when the other service sets `storeSettingsKeyGen`. Each key must be unguessable, have at
   * least 16 characters, and match `accept`. Defaults to `bytes` random bytes in hexadecimal.
   */
  readonly generate?: () => string
  /**
   * The form of a key: a cookie of another form is refused without asking the database. It must match the
   * whole key: `/^[A-Za-z0-9]{32}$/`. Keys are printable ASCII in any case. Defaults to what
   * `ratherSecureGen` makes of `bytes` bytes: at least as many lower-case hexadecimal digits, and at most
   * twice as many.
   */
  readonly accept?: RegExp
}

/**
 * Makes and reads the keys of wai-session-postgresql as tokens: the cookie holds the key, and so does
 * the table, in plain text.
 *
 * A new key is the full hexadecimal spelling of its bytes, so that different bytes give different keys;
 * the original, which drops the zero of each byte below 16, takes keys of any length. A key has one
 * spelling: the database compares it as it is.
 *
 * @throws {ConfigurationError} If an option is wrong, or the generated keys do not match `accept`.
 * @example
 * ```ts
 * import { waiTokens } from 'pg-sessions/haskell'
 *
 * const { token } = waiTokens().issue() // 48 digits, such as '13d3712f9f35…'
 * ```
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { waiTokens } from 'pg-sessions/haskell'
 *
 * // For a service with a `storeSettingsKeyGen` that makes 32 letters and digits.
 * const tokens = waiTokens({
 *   accept: /^[A-Za-z0-9]{32}$/,
 *   generate: () => randomBytes(16).toString('hex'),
 * })
 * ```
 */
export function waiTokens(options: WaiTokenOptions = {}): TokenFormat {
  const accepts = keyForm(options)
  const generate = checkedGenerator(options ?? {}, accepts)
  const reissue = (id: string): IssuedToken => {
    const token = generate()
    return { id, token, secretHash: keyBytes(token) }
  }
  return {
    issue: () => reissue(''),
    reissue,
    read: (token) => (accepts(token) ? { id: '', secretHashes: [keyBytes(token)] } : null),
  }
}

/**
 * Tells whether a cookie may be a key.
 *
 * @throws {ConfigurationError} If `bytes` or `accept` is wrong.
 */
export function keyForm(options: WaiTokenOptions = {}): (token: string) => boolean {
  const { bytes, accept: given } = readOptions('keys', TABLE, options)
  const accept = given ?? new RegExp(`^[0-9a-f]{${bytes},${2 * bytes}}$`)
  return (token) => KEY.test(token) && accept.test(token)
}

/** The key that a caller shows as bytes; null if they cannot be a key. */
export function keyOf(bytes: Uint8Array): string | null {
  if (bytes.length > LONGEST_KEY) return null
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return KEY.test(key) ? key : null
}

function keyBytes(key: string): Uint8Array {
  return Buffer.from(key, 'latin1')
}

const SHORTEST_KEY = 16
const LONGEST_KEY = 4096
/** What a cookie can hold, RFC 6265 section 4.1.1, and any encoding of a database can compare. */
const KEY = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,4096}$/

/** A generator whose keys the next request would refuse signs everyone out, so this tries it at once. */
function checkedGenerator(
  { bytes = 24, generate }: WaiTokenOptions,
  accepts: (token: string) => boolean,
): () => string {
  const make = generate ?? (() => randomBytes(bytes).toString('hex'))
  const checked = (): string => {
    const key = make()
    if (typeof key === 'string' && key.length >= SHORTEST_KEY && accepts(key)) return key
    throw new ConfigurationError(
      generate === undefined
        ? `accept does not match the keys that are made here: ${2 * bytes} hexadecimal digits. Write generate, which makes keys as the other service's storeSettingsKeyGen does.`
        : `generate must give at least ${SHORTEST_KEY} characters that accept matches: the next request would refuse this key. Let accept describe the keys of both services.`,
    )
  }
  const samples = Array.from({ length: 16 }, checked)
  if (new Set(samples).size === samples.length) return checked
  throw new ConfigurationError(
    'generate gave the same key twice. It must give a new unguessable key at each call.',
  )
}

const BYTES = 'a whole number from 16 to 1024, as ratherSecureGen was given'
const ACCEPT =
  'a regular expression for the whole of a key, without the flags g, m and y: /^[A-Za-z0-9]{32}$/'

const TABLE: OptionTable<{
  readonly bytes: number
  readonly accept: RegExp | undefined
  readonly generate: (() => string) | undefined
}> = {
  bytes: option(BYTES, 24, (bytes, name) => {
    const isCount = Number.isInteger(bytes) && Number(bytes) >= 16 && Number(bytes) <= 1024
    return isCount ? Number(bytes) : refuse(name, BYTES, bytes)
  }),
  accept: option<RegExp, undefined>(ACCEPT, undefined, (accept, name) => {
    const isWhole = accept instanceof RegExp && /^\^.*\$$/s.test(accept.source)
    if (!isWhole || accept.global || accept.sticky || accept.multiline) {
      return refuse(name, ACCEPT, accept)
    }
    // Alternatives would otherwise share the two anchors: /^a|b$/.
    return new RegExp(`^(?:${accept.source})$`, accept.flags)
  }),
  generate: callback<() => string, undefined>('() => randomBytes(16).toString("hex")', undefined),
}
