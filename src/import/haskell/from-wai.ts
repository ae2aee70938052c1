import type { Codec } from '../../codec/codec.ts'
import { ConfigurationError } from '../../errors.ts'
import { waiTimeout } from '../../haskell/store-options.ts'
import { keyForm, type WaiTokenOptions } from '../../haskell/wai-tokens.ts'
import { type Duration, formatDuration } from '../../options/duration.ts'
import {
  duration,
  flag,
  type Option,
  type OptionTable,
  option,
  unchecked,
} from '../../options/option.ts'
import { readOptions } from '../../options/read-options.ts'
import type { Driver } from '../../postgres/driver.ts'
import {
  type DatabaseOptions,
  databaseOptions,
  driverOption,
  type MigrateMode,
} from '../../postgres/store-options.ts'
import { resolveTableNames, type TableNameOptions } from '../../postgres/table-names.ts'
import { type SecretOptions, secretOptions } from '../../session/secret-options.ts'
import { createTokens, type TokenFormat } from '../../session/token.ts'
import type { PresentedToken, SessionStore } from '../../store/session-store.ts'
import { MovingStore } from '../moving-store.ts'
import { keepingKeys } from './keep-keys.ts'
import { WaiFallback } from './wai-fallback.ts'
import { waiProof } from './wai-identity.ts'
import { mapperOf, type WaiMapping } from './wai-mapping.ts'

/** What sessions come from, and where they go to. */
export interface FromWaiOptions<Key, Value> extends WaiMapping<Key, Value>, TableNameOptions {
  /** The database that holds the tables of both, through a driver: `fromPg(pool)`. */
  readonly database: Driver
  /**
   * The other service's `storeSettingsSessionTimeout`, in whole seconds. It is the idle timeout here too.
   * Defaults to `'1h'`, as there.
   */
  readonly timeout?: Duration
  /** The schema of the other service's tables. Defaults to `'public'`. */
  readonly waiSchema?: string
  /** What its keys look like; `accept` is all that counts here. Defaults to what its `defaultSettings` make. */
  readonly keys?: WaiTokenOptions
  /**
   * Keeps sessions and their keys in the other service's tables, and also serves sessions that have moved:
   * the first of two steps of a rolling deployment, while processes with `waiSettings` still run. Not with
   * `map`. Defaults to `false`.
   */
  readonly keepKeys?: boolean
  /** As in `createSessions`. */
  readonly migrate?: MigrateMode
  /** As in `createSessions`. */
  readonly deadline?: Duration
  /** As in `createSessions`: from the move to the end of a session at the latest. Defaults to `'30d'`. */
  readonly absoluteTimeout?: Duration | 'none'
  /** As in `createSessions`: makes the secrets of the tokens that take the keys' place. */
  readonly generateSecret?: () => string
  /** As in `createSessions`. Keys of the Haskell service are recognized without it, until they are replaced. */
  readonly pepper?: string | readonly string[]
}

/** Settings for `createSessions`, to be spread. */
export interface FromWaiSettings {
  readonly store: SessionStore
  readonly tokens: TokenFormat
  readonly codec?: Codec
  readonly idleTimeout: Duration
  readonly absoluteTimeout: Duration | 'none'
}

/**
 * Settings for sessions of this package that take over those of wai-session-postgresql, one by one, as
 * their users return.
 *
 * A client that presents an old key is given a token of ours with that response, and the key is dead a
 * moment later (`renewGrace`), so that requests in flight still find their session. A session is moved in
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
  const read = readOptions('fromWai', TABLE, options)
  const { schema, tables, deadline, timeout } = read
  const absoluteTimeout = read.absoluteTimeout ?? Math.max(timeout, 30 * DAY)
  if (read.database === undefined) {
    throw new ConfigurationError('fromWai needs a database, such as { database: fromPg(pool) }.')
  }
  const driver = read.database
  const fallback = new WaiFallback({
    driver,
    deadline,
    names: resolveTableNames({ schema, tables }),
    schema: read.waiSchema,
    timeout,
    map: mapperOf({ ...options, dropUndecodable: read.dropUndecodable }),
    absoluteTimeout,
  })
  const storeOptions = { driver, deadline: options.deadline, migrate: read.migrate, schema, tables }
  const ours = createTokens({ generateSecret: read.generateSecret, peppers: read.pepper })
  const moving = (): Pick<FromWaiSettings, 'store' | 'tokens'> => {
    const { tokens, keyOf } = movingTokens(ours, options.keys)
    return { store: new MovingStore(storeOptions, fallback, keyOf), tokens }
  }
  return {
    ...(read.keepKeys ? keepingKeys(options, { ours, storeOptions }) : moving()),
    idleTimeout: options.timeout ?? '1h',
    absoluteTimeout:
      absoluteTimeout === Number.POSITIVE_INFINITY ? 'none' : formatDuration(absoluteTimeout),
    ...(options.codec === undefined ? {} : { codec: options.codec }),
  }
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

interface ReadOptions extends DatabaseOptions, SecretOptions {
  readonly database: Driver | undefined
  readonly timeout: number
  readonly waiSchema: string
  readonly absoluteTimeout: number | undefined
  readonly keys: unknown
  readonly key: unknown
  readonly value: unknown
  readonly map: unknown
  readonly codec: unknown
  readonly dropUndecodable: boolean
  readonly keepKeys: boolean
}

const TABLE: OptionTable<ReadOptions> = {
  ...databaseOptions,
  database: driverOption,
  timeout: { ...waiTimeout, fallback: HOUR } as Option<number>,
  waiSchema: option('a schema name', 'public', (schema) => schema as string),
  absoluteTimeout: duration(undefined, { none: Number.POSITIVE_INFINITY }),
  ...secretOptions,
  dropUndecodable: flag(true),
  keepKeys: flag(false),
  // Checked by what they are for.
  keys: unchecked('an object'),
  key: unchecked('a type'),
  value: unchecked('a type'),
  map: unchecked('a function'),
  codec: unchecked('a codec'),
}

interface MovingTokens {
  readonly tokens: TokenFormat
  keyOf(proof: PresentedToken): string | undefined
}

/** Makes tokens of ours, and reads the original's keys too. */
function movingTokens(ours: TokenFormat, keys: WaiTokenOptions | undefined): MovingTokens {
  const isKey = keyForm(keys)
  // Not in the proof itself: a proof holds nothing but hashes wherever it may turn up.
  const shown = new WeakMap<PresentedToken, string>()
  return {
    tokens: {
      issue: ours.issue,
      reissue: ours.reissue,
      read(token) {
        const proof = ours.read(token)
        if (proof !== null || !isKey(token)) return proof
        const ofKey = waiProof(token)
        shown.set(ofKey, token)
        return ofKey
      },
    },
    keyOf: (proof) => shown.get(proof),
  }
}
