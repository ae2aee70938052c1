import { jsonCodec } from '../../codec/json-codec.ts'
import { ConfigurationError } from '../../errors.ts'
import type { Cereal } from '../../haskell/cereal/cereal.ts'
import { string } from '../../haskell/cereal/texts.ts'
import { WaiStore } from '../../haskell/wai-store.ts'
import type { WaiTokenOptions } from '../../haskell/wai-tokens.ts'
import type { Duration } from '../../options/duration.ts'
import type { Driver } from '../../postgres/driver.ts'
import { PostgresStore } from '../../postgres/postgres-store.ts'
import type { PostgresStoreOptions } from '../../postgres/store-options.ts'
import type { TokenFormat } from '../../session/token.ts'
import type { SessionStore } from '../../store/session-store.ts'
import { EntryTranslation } from './entry-translation.ts'
import { KeyKeepingStore } from './key-keeping-store.ts'
import { keyKeepingTokens } from './key-keeping-tokens.ts'
import { mapperOf, type WaiMapping } from './wai-mapping.ts'

/** The options of `fromWai` that the first step needs. */
interface KeepKeysOptions<Key, Value> extends WaiMapping<Key, Value> {
  readonly database: Driver
  readonly timeout?: Duration
  readonly waiSchema?: string
  readonly deadline?: Duration
  readonly keys?: WaiTokenOptions
}

/**
 * The store and tokens of the first step of a rolling deployment.
 *
 * @throws {ConfigurationError} If there is a mapping, or no generator for the keys' form.
 */
export function keepingKeys<Key, Value>(
  options: KeepKeysOptions<Key, Value>,
  made: { readonly ours: TokenFormat; readonly storeOptions: PostgresStoreOptions },
): { readonly store: SessionStore; readonly tokens: TokenFormat } {
  if (options.map !== undefined) {
    throw new ConfigurationError(
      'keepKeys does not go with map: processes of the release before read what this one writes. Leave map out until all processes run without keepKeys.',
    )
  }
  const { codec = jsonCodec, timeout = '1h', waiSchema: schema, deadline } = options
  const types = {
    key: (options.key ?? string) as Cereal<unknown>,
    value: (options.value ?? string) as Cereal<unknown>,
  }
  const map = mapperOf({ ...types, codec, dropUndecodable: true })
  const { tokens, keyOf } = keyKeepingTokens(made.ours, options.keys)
  const theirs = new WaiStore({ driver: options.database, timeout, schema, deadline })
  return {
    store: new KeyKeepingStore({
      theirs,
      ours: new PostgresStore(made.storeOptions),
      entries: new EntryTranslation({ ...types, codec, map }),
      keyOf,
    }),
    tokens,
  }
}
