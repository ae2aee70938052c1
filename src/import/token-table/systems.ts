import type { TokenSystem } from './from-token-table.ts'
import {
  clearTokens,
  dottedTokens,
  hashedTokens,
  type OldTokens,
  signedTokens,
} from './old-tokens.ts'

/** better-auth with its sessions in the database. Without secrets only for the import, which reads no cookie. */
export function betterAuthSystem(secrets: readonly string[] = []): TokenSystem {
  return {
    maker: 'fromBetterAuth',
    name: 'better-auth',
    table: 'session',
    columns: {
      token: 'token',
      userId: 'userId',
      expiresAt: 'expiresAt',
      createdAt: 'createdAt',
    },
    cookie: '__Secure-better-auth.session_token',
    tokens: signedTokens(secrets),
  }
}

/** Auth.js with `session: { strategy: 'database' }`. */
export const authjsSystem: TokenSystem = {
  maker: 'fromAuthjs',
  name: 'Auth.js',
  table: 'sessions',
  columns: { token: 'sessionToken', userId: 'userId', expiresAt: 'expires' },
  cookie: '__Secure-authjs.session-token',
  tokens: clearTokens(),
}

/** What the table holds of a token of Lucia. */
export type LuciaTokens = 'clear' | 'hashed' | 'id-and-secret'

const LUCIA_TOKENS: Readonly<Record<LuciaTokens, () => OldTokens>> = {
  clear: () => clearTokens(),
  hashed: hashedTokens,
  'id-and-secret': dottedTokens,
}

/** Lucia 3, and the code that its pages have shown since. */
export function luciaSystem(kind: LuciaTokens, lifetime?: number): TokenSystem {
  const secretHash = kind === 'id-and-secret' ? { secretHash: 'secret_hash' } : {}
  const createdAt = lifetime === undefined ? {} : { createdAt: 'created_at' }
  return {
    maker: 'fromLucia',
    name: 'Lucia',
    table: kind === 'id-and-secret' ? 'session' : 'user_session',
    columns: {
      token: 'id',
      userId: 'user_id',
      expiresAt: 'expires_at',
      ...secretHash,
      ...createdAt,
    },
    cookie: kind === 'clear' ? 'auth_session' : 'session',
    tokens: LUCIA_TOKENS[kind](),
    lifetime,
  }
}
