import type { Codec } from '../../codec/codec.ts'
import { ConfigurationError } from '../../errors.ts'
import { type WaiTokenOptions, waiTokens } from '../../haskell/wai-tokens.ts'
import type { Driver } from '../../postgres/driver.ts'
import type { MigrateMode } from '../../postgres/store-options.ts'
import { resolveTableNames, type TableNameOptions } from '../../postgres/table-names.ts'
import { type Duration, parseDuration } from '../../options/duration.ts'
import { createTokens, randomToken, type TokenFormat } from '../../session/token.ts'
import type { PresentedToken, SessionStore } from '../../store/session-store.ts'
import { MovingStore } from './moving-store.ts'
import { WaiFallback } from './wai-fallback.ts'
import { waiProof } from './wai-identity.ts'
import { mapperOf, type WaiMapping } from './wai-mapping.ts'

/** What sessions come from, and where they go to. */
export interface FromWaiOptions<Key, Value> extends WaiMapping<Key, Value>, TableNameOptions {
  /** The database that holds the tables of both, through a driver: `fromPg(pool)`. */
  readonly database: Driver
  /** The other service's `storeSettingsSessionTimeout`. Defaults to `'1h'`, as there. */
  readonly timeout?: Duration
  /** The schema of the other service's tables. Defaults to `'public'`. */
  readonly waiSchema?: string
  /** What its keys look like. Defaults to what its `defaultSettings` make. */
  readonly keys?: WaiTokenOptions
  /** As in `createSessions`. */
  readonly migrate?: MigrateMode
  /** As in `createSessions`. */
  readonly deadline?: Duration
  /** As in `createSessions`: from the move to the end of a session at the latest. Defaults to `'30d'`. */
  readonly absoluteTimeout?: Duration | 'none'
  /** As in `createSessions`: makes the secrets of the tokens that take the keys' place. */
  readonly generateSecret?: () => string
  /** As in `createSessions`. Keys of before are known without it, until they are replaced. */
  readonly pepper?: string | readonly string[]
}

/** Settings for `createSessions`, to be spread. */
export interface FromWaiSettings {
  readonly store: SessionStore
  readonly tokens: TokenFormat
  readonly codec?: Codec
  readonly absoluteTimeout: Duration | 'none'
}

/**
 * Settings for sessions of this package that take over those of wai-session-postgresql, one by one, as
 * their users come by.
 *
 * A client that shows a key of before is given a token of ours with that response, and the key is dead a
 * moment later (`renewGrace`), so that requests under way still find their session. A session is moved in
 * one transaction, never copied; nothing that ended comes back. `pg-sessions import wai` moves the rest.
 *
 * @throws {ConfigurationError} An option is wrong; says what to write.
 * @example
 * ```ts
 * import { createSessions } from 'pg-sessions'
 * import { fromWai } from 'pg-sessions/haskell/import'
 * import { fromPg } from 'pg-sessions/pg'
 *
 * const sessions = createSessions({
 *   ...fromWai({ database: fromPg(pool), timeout: '1h' }),
 *   cookie: { name: 'SESSION' },
 * })
 * ```
 */
export function fromWai<Key = string, Value = string>(
  options: FromWaiOptions<Key, Value>,
): FromWaiSettings {
  const { database: driver, migrate, schema, tables, codec, waiSchema = 'public' } = options
  const { absoluteTimeout = '30d' } = options
  if (typeof driver?.query !== 'function') {
    throw new ConfigurationError('fromWai needs a database, such as { database: fromPg(pool) }.')
  }
  const deadline = parseDuration('deadline', options.deadline ?? '5s')
  const fallback = new WaiFallback({
    driver,
    deadline,
    names: resolveTableNames({ schema, tables }),
    schema: waiSchema,
    timeout: parseDuration('timeout', options.timeout ?? '1h'),
    map: mapperOf(options),
    absoluteTimeout:
      absoluteTimeout === 'none'
        ? Number.POSITIVE_INFINITY
        : parseDuration('absoluteTimeout', absoluteTimeout),
  })
  const { tokens, keyOf } = movingTokens(options)
  const storeOptions = { driver, deadline: options.deadline, schema, tables }
  const store = new MovingStore(
    migrate === undefined ? storeOptions : { ...storeOptions, migrate },
    fallback,
    keyOf,
  )
  return { store, tokens, absoluteTimeout, ...(codec === undefined ? {} : { codec }) }
}

interface MovingTokens {
  readonly tokens: TokenFormat
  keyOf(proof: PresentedToken): string | undefined
}

/** Makes tokens of ours, and reads the original's keys too. */
function movingTokens({
  keys,
  generateSecret = () => randomToken(24),
  pepper = [],
}: Pick<FromWaiOptions<never, never>, 'keys' | 'generateSecret' | 'pepper'>): MovingTokens {
  const ours = createTokens({ generateSecret, peppers: [pepper].flat() })
  const theirs = waiTokens(keys)
  // Not in the proof itself: a proof holds nothing but hashes wherever it may turn up.
  const shown = new WeakMap<PresentedToken, string>()
  return {
    tokens: {
      issue: ours.issue,
      reissue: ours.reissue,
      read(token) {
        const proof = ours.read(token)
        if (proof !== null || theirs.read(token) === null) return proof
        const ofKey = waiProof(token)
        shown.set(ofKey, token)
        return ofKey
      },
    },
    keyOf: (proof) => shown.get(proof),
  }
}
