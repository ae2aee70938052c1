import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { hashedId } from '../../cryptography/hashed-id.ts'
import type { PresentedToken } from '../../store/session-store.ts'

/** A token of another library, as a client showed it. */
export interface OldToken {
  /** What names its row there. */
  readonly key: string
  readonly proof: PresentedToken
}

/** What a row says of the token of its session. */
interface TokenRow {
  readonly key: string
  /** A stored hash beside the key, in hexadecimal; null where there is none. */
  readonly secretHash: string | null
}

/** The session here that a row stands for. Nothing in it gives a token away. */
interface OldIdentity {
  readonly id: string
  readonly secretHash: Uint8Array
}

/** How a library spells its tokens, and what it stores of them. */
export interface OldTokens {
  /** Reads the value of a cookie; null if it is not a token of that library. */
  read(cookie: string): OldToken | null
  /** The session that a row stands for; null if it holds no such token. */
  identify(row: TokenRow): OldIdentity | null
}

/** Keeps these ids apart from every other hash. Never changes. */
const ID_DOMAIN = 'pg-sessions old token to id v1\0'

/** Any text that such libraries make; a JWT is longer. */
const CLEAR = /^[\x21-\x3a\x3c-\x7e]{16,255}$/

/** Tokens that lie in the table in clear. */
export function clearTokens(accepts: RegExp = CLEAR): OldTokens {
  const identify = (token: string): OldIdentity => identityOf(sha256(token))
  return {
    read: (cookie) => (accepts.test(cookie) ? tokenOf(cookie, identify(cookie)) : null),
    identify: ({ key }) => identify(key),
  }
}

/**
 * Tokens of better-auth: the cookie holds token and signature, the table the token in clear.
 *
 * @param secrets - Of which each may have signed.
 */
export function signedTokens(secrets: readonly string[]): OldTokens {
  const { identify } = clearTokens()
  return {
    identify,
    read(cookie) {
      const signed = decoded(cookie)
      const dot = signed?.lastIndexOf('.') ?? -1
      if (signed === null || dot < 1) return null
      const [token, signature] = [signed.slice(0, dot), signed.slice(dot + 1)]
      if (!secrets.some((secret) => isSignatureOf(token, signature, secret))) return null
      const identity = identify({ key: token, secretHash: null })
      return identity && tokenOf(token, identity)
    },
  }
}

/** Tokens of which the table holds SHA-256 in hexadecimal. */
export function hashedTokens(): OldTokens {
  return {
    read(cookie) {
      if (!CLEAR.test(cookie)) return null
      const hash = sha256(cookie)
      return tokenOf(hash.toString('hex'), identityOf(hash))
    },
    identify: ({ key }) =>
      /^[0-9a-f]{64}$/.test(key) ? identityOf(Buffer.from(key, 'hex')) : null,
  }
}

/** Tokens of an id and a secret with a dot between. The table holds the id, and SHA-256 of the secret. */
export function dottedTokens(): OldTokens {
  const identify = (id: string, secretHash: Uint8Array): OldIdentity => ({
    id: hashedId(ID_DOMAIN, `id ${id}`),
    secretHash,
  })
  return {
    read(cookie) {
      const [id = '', secret = '', ...rest] = CLEAR.test(cookie) ? cookie.split('.') : []
      if (id === '' || secret === '' || rest.length > 0) return null
      return tokenOf(id, identify(id, sha256(secret)))
    },
    identify: ({ key, secretHash }) =>
      /^[0-9a-f]{64}$/.test(secretHash ?? '')
        ? identify(key, Buffer.from(secretHash ?? '', 'hex'))
        : null,
  }
}

function identityOf(hash: Buffer): OldIdentity {
  return { id: hashedId(ID_DOMAIN, hash.toString('hex')), secretHash: hash }
}

/** A token of ours takes its place with the first response. */
function tokenOf(key: string, { id, secretHash }: OldIdentity): OldToken {
  return { key, proof: { id, secretHashes: [secretHash], isOutdated: true } }
}

/** A value has one spelling: that which better-auth writes. */
function decoded(cookie: string): string | null {
  try {
    const text = decodeURIComponent(cookie)
    return encodeURIComponent(text) === cookie ? text : null
  } catch {
    return null
  }
}

function isSignatureOf(token: string, signature: string, secret: string): boolean {
  const made = Buffer.from(createHmac('sha256', secret).update(token).digest('base64'))
  const shown = Buffer.from(signature)
  return made.length === shown.length && timingSafeEqual(made, shown)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
