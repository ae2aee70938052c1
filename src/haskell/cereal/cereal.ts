import { InvalidValueError, isSessionError, UndecodableError } from '../../errors.ts'
import { CerealInput } from './cereal-input.ts'
import { CerealOutput } from './cereal-output.ts'

/**
 * One Haskell type in the binary format of the package cereal, with the TypeScript type that stands for it.
 *
 * It gives back exactly what it was given, or refuses: `decode(encode(value))` equals `value` for every
 * value that `encode` accepts. Time and memory are bounded by the size of the input, whatever it holds.
 *
 * @see https://hackage.haskell.org/package/cereal
 * @example
 * ```ts
 * const scores = cereal.map(cereal.string, cereal.list(cereal.int64))
 * scores.decode(scores.encode(new Map([['ann', [3n, 5n]]])))
 * ```
 */
export interface Cereal<Value> {
  /** The type as Haskell writes it, `Map String [Int64]`; for messages. */
  readonly name: string

  /**
   * @param path - How messages call the value; the place of a fault is appended to it. Defaults to `value`.
   * @throws {InvalidValueError} The value, or a part of it, is none that this type can give back.
   */
  encode(value: Value, path?: string): Uint8Array

  /**
   * Reads as Haskell does: bytes after the value are passed over, and what Haskell's reader lets pass
   * (superfluous zeros, say) passes here. Where it would crash, loop or run out of memory, this throws.
   *
   * @throws {UndecodableError} The bytes are not a value of this type, or one that JavaScript cannot hold.
   */
  decode(bytes: Uint8Array): Value

  /** @internal Tells how types are put together; see {@link CerealParts}. */
  readonly parts: CerealParts<Value>
}

/** What `Cereal` stands for in TypeScript: `CerealValue<typeof shape>`. */
export type CerealValue<Type> = Type extends Cereal<infer Value> ? Value : never

/** What a type has to tell, so that other types can be made of it. */
export interface CerealParts<Value> {
  readonly name: string
  write(output: CerealOutput, value: Value): void
  read(input: CerealInput): Value
  /** Haskell's `Ord`, by which maps and sets are written: below, at or above zero. */
  compare(a: Value, b: Value): number
  /** Whether null is a value of it, so that `Maybe` must tell its `Nothing` from that. */
  readonly mayBeNull?: () => boolean
  /** Whether it is one of the whole numbers, so that it can index an array or make a ratio. */
  readonly range?: WholeNumbers
}

/** Which whole numbers a type has, and how TypeScript holds them. */
interface WholeNumbers {
  readonly kind: 'number' | 'bigint'
  /** The least and the greatest; null where there is none. */
  readonly least: bigint | null
  readonly most: bigint | null
}

/** Makes a type from its parts. */
export function cerealType<Value>(parts: CerealParts<Value>): Cereal<Value> {
  return Object.freeze({
    parts,
    get name() {
      return parts.name
    },
    encode(value: Value, path = 'value'): Uint8Array {
      const output = new CerealOutput(path)
      try {
        parts.write(output, value)
      } catch (error) {
        if (isSessionError(error)) throw error
        // A getter or a proxy's trap threw, or the type is put together deeper than the stack is.
        throw new InvalidValueError(path, `cannot be read as ${parts.name}.`)
      }
      return output.finish()
    },
    decode(bytes: Uint8Array): Value {
      try {
        return parts.read(new CerealInput(bytes))
      } catch (error) {
        if (isSessionError(error)) throw error
        throw new UndecodableError(`The stored bytes cannot be read as ${parts.name}.`)
      }
    },
  })
}

/** Compares as Haskell's `Ord` does numbers and truth values: `NaN` comes after whatever it meets. */
export function byOrder<Value extends number | bigint | boolean>(a: Value, b: Value): number {
  if (a < b) return -1
  return a === b ? 0 : 1
}

/** Compares part by part; of two where one begins with the other, the shorter comes first. */
export function byParts<Part>(
  a: ArrayLike<Part>,
  b: ArrayLike<Part>,
  compare: (a: Part, b: Part) => number,
): number {
  const shared = Math.min(a.length, b.length)
  for (let index = 0; index < shared; index += 1) {
    const order = compare(a[index] as Part, b[index] as Part)
    if (order !== 0) return order
  }
  return a.length - b.length
}
