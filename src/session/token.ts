import * as crypto from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { sha256 } from '../cryptography/sha256.ts'
import { ConfigurationError } from '../errors.ts'
import type { PresentedToken } from '../store/session-store.ts'

/**
 * Makes and reads tokens: what a session's cookie holds.
 *
 * An implementation of your own lets sessions share a cookie with another system. It must give tokens
 * that cannot be guessed, and must read every token in one spelling only.
 */
export interface TokenFormat {
  /** A token for a new session. */
  issue(): IssuedToken
  /** Another token for the session with this id. */
  reissue(id: string): IssuedToken
  /** What a store may know of a token that a client sent; null when it is not a token at all. */
  read(token: string): PresentedToken | null
}

/** A token that has just been made. The one place where it is held in plain text. */
export interface IssuedToken {
  /** Empty when it is the store that gives a new session its id. */
  readonly id: string
  readonly token: string
  readonly secretHash: Uint8Array
}

/** The alphabet of base64url (RFC 4648 section 5), with room for secrets of 24 to 192 bytes. */
const SECRET = /^[A-Za-z0-9_-]{32,256}$/

const ID_LENGTH = 22

/**
 * Id and secret. The last character of an id carries two of its bits; the others must be zero, so that an id has
 * one spelling.
 */
const TOKEN = /^[A-Za-z0-9_-]{21}[AQgw][A-Za-z0-9_-]{32,256}$/

/**
 * Makes an unguessable text of `bytes` random bytes from the operating system's generator.
 *
 * @param bytes - Bytes of entropy. The default for a session's secret is 24; OWASP asks for 16 at least.
 * @returns base64url: `bytes` / 3 * 4 characters, rounded up.
 * @throws {ConfigurationError} `bytes` is not a whole number from 16 to 1024.
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html
 *
 * @example
 * ```ts
 * const sessions = createSessions({ database, generateSecret: () => randomToken(32) })
 * ```
 */
export function randomToken(bytes: number): string {
  if (!Number.isInteger(bytes) || bytes < 16 || bytes > 1024) {
    throw new ConfigurationError(
      `randomToken takes a whole number of bytes from 16 to 1024; it was given ${String(bytes)}.`,
    )
  }
  return crypto.randomBytes(bytes).toString('base64url')
}

/** What {@link createTokens} needs to know. */
export interface TokenSettings {
  readonly generateSecret: () => string
  /** Keys for HMAC-SHA-256, the one for new tokens first; none for plain SHA-256. */
  readonly peppers: readonly string[]
}

/**
 * Makes the tokens that sessions have by default.
 *
 * A token is the session's id (a UUID, 22 characters of base64url) followed by its secret, and it has
 * exactly one spelling: the id must be the canonical encoding of its 16 bytes, and the secret is
 * hashed as the text it is, so every other spelling has another hash.
 *
 * @throws {ConfigurationError} The generator gives too little, gives the same secret twice, or a
 * pepper is shorter than 32 characters.
 */
export function createTokens(settings: TokenSettings): TokenFormat {
  const hashes = hashFunctions(settings.peppers)
  const [currentHash] = hashes as [HashFunction]
  const generate = (): string => checkedSecret(settings.generateSecret())
  const sample = generate()
  if (sample === generate()) {
    throw new ConfigurationError(
      'generateSecret gave the same secret twice. It must give a new unguessable one at each call, as randomToken(24) does.',
    )
  }

  const reissue = (id: string): IssuedToken => {
    const token = encodeId(id) + generate()
    return { id, token, secretHash: currentHash(token) }
  }

  return {
    issue: () => reissue(uuidv7()),
    reissue,
    read(token) {
      if (!TOKEN.test(token)) return null
      return {
        id: decodeId(token.slice(0, ID_LENGTH)),
        secretHashes: hashes.map((hash) => hash(token)),
      }
    },
  }
}

type HashFunction = (token: string) => Uint8Array

function hashFunctions(peppers: readonly string[]): HashFunction[] {
  if (peppers.length === 0) return [hashSecret]
  for (const pepper of peppers) {
    if (typeof pepper !== 'string' || pepper.length < 32) {
      throw new ConfigurationError(
        'A pepper must be a string of at least 32 characters, such as the output of: openssl rand -base64 32',
      )
    }
  }
  // Over the id as well: a hash that is copied into another session's row fits no token there.
  return peppers.map(
    (pepper) => (token) => crypto.createHmac('sha256', pepper).update(token).digest(),
  )
}

const hashSecret: HashFunction = (token) => sha256(token.slice(ID_LENGTH))

function checkedSecret(secret: unknown): string {
  if (typeof secret === 'string' && SECRET.test(secret)) return secret
  throw new ConfigurationError(
    'generateSecret must give 32 to 256 characters of A–Z, a–z, 0–9, - and _, as randomToken(24) does.',
  )
}

function encodeId(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
}

function decodeId(text: string): string {
  const hex = Buffer.from(text, 'base64url').toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
