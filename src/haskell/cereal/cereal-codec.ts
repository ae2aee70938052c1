import type { Codec } from '../../codec/codec.ts'
import { rootPath } from '../../codec/value-path.ts'
import { ConfigurationError, InvalidValueError, UndecodableError } from '../../errors.ts'
import type { Cereal } from './cereal.ts'

/** The two types that a Haskell session is made of: the `k` and the `v` of its `Session m k v`. */
export interface CerealCodecTypes<Key extends string, Value> {
  /** The type of keys. Ours are strings; `cereal.convert` makes others of a Haskell type. */
  readonly key: Cereal<Key>
  readonly value: Cereal<Value>
}

/**
 * Makes a codec for sessions whose keys and values Haskell writes and reads. Sessions with it have the types
 * that follow from it: `Sessions<Record<Key, Value>>`.
 *
 * Bytes after a value are passed over, as in Haskell. A key must be stored exactly as `encodeKey` writes
 * it: in any other spelling Haskell would not find it either.
 *
 * @throws {ConfigurationError} The types are not cereal types.
 * @example
 * ```ts
 * const codec = cerealCodec({ key: cereal.string, value: cereal.map(cereal.string, cereal.int64) })
 * ```
 */
export function cerealCodec<Key extends string, Value>(
  types: CerealCodecTypes<Key, Value>,
): Codec<Key, Value> {
  for (const name of ['key', 'value'] as const) {
    if (typeof types[name]?.parts?.write !== 'function') {
      throw new ConfigurationError(
        `cerealCodec needs a cereal type as its ${name}, such as { key: cereal.string, value: cereal.string }.`,
      )
    }
  }
  const { key: keyType, value: valueType } = types
  return Object.freeze({
    name: 'cereal',
    encodeKey(key: Key): Uint8Array {
      if (typeof key !== 'string') throw new InvalidValueError('A key', 'must be a string.')
      return keyType.encode(key, rootPath(key))
    },
    decodeKey(bytes: Uint8Array): Key {
      const key = keyType.decode(bytes)
      if (isSame(encodeAgain(keyType, key), bytes)) return key
      throw new UndecodableError('The stored key is not as Haskell writes it.')
    },
    encode: (value: Value, path: string): Uint8Array => valueType.encode(value, path),
    decode: (bytes: Uint8Array): Value => valueType.decode(bytes),
  })
}

function encodeAgain<Key>(type: Cereal<Key>, key: Key): Uint8Array | null {
  try {
    return type.encode(key)
  } catch {
    return null
  }
}

function isSame(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && a.length === b.length && a.every((byte, index) => byte === b[index])
}
