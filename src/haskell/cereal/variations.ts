import { type Cereal, cerealType } from './cereal.ts'

/**
 * A type that is not there yet: for data types that hold themselves, up to 500 levels deep.
 *
 * @example
 * ```ts
 * import type { Cereal } from 'pg-sessions/haskell/cereal'
 *
 * type Chain = { type: 'End' } | { type: 'Link'; fields: [string, Chain] }
 * const chain: Cereal<Chain> = cereal.data({
 *   End: [],
 *   Link: [cereal.string, cereal.lazy(() => chain)],
 * })
 * ```
 */
export function lazy<Value>(get: () => Cereal<Value>): Cereal<Value> {
  return cerealType<Value>({
    name: '…',
    write: (output, value) => output.nested(() => get().parts.write(output, value)),
    read: (input) => input.nested(() => get().parts.read(input)),
    compare: (a, b) => get().parts.compare(a, b),
    mayBeNull: () => get().parts.mayBeNull?.() === true,
  })
}

/**
 * A type whose values your program holds in another form: a `UTCTime` as a `Date`, say.
 *
 * Both functions must be each other's inverse. What `toStored` throws comes out of `encode` as an
 * `InvalidValueError`, what `fromStored` throws out of `decode` as an `UndecodableError`.
 *
 * @param toStored - Gives the value that is encoded.
 * @param fromStored - Gives the value for one that was decoded; never null.
 * @example
 * ```ts
 * const seconds = cereal.convert(
 *   cereal.int64,
 *   (date: Date) => BigInt(date.getTime() / 1000),
 *   (stored) => new Date(Number(stored) * 1000),
 * )
 * ```
 */
export function convert<Stored, Value extends NonNullable<unknown>>(
  type: Cereal<Stored>,
  toStored: (value: Value) => Stored,
  fromStored: (stored: Stored) => Value,
): Cereal<Value> {
  return cerealType<Value>({
    name: type.name,
    write(output, value) {
      const stored = ((): Stored => {
        try {
          return toStored(value)
        } catch {
          return output.refuse(`cannot be turned into ${type.name}.`)
        }
      })()
      type.parts.write(output, stored)
    },
    read: (input) => fromStored(type.parts.read(input)),
    compare: (a, b) => type.parts.compare(toStored(a), toStored(b)),
  })
}
