import { byOrder, type Cereal, cerealType } from './cereal.ts'
import { readConstructor, tagOf, writeConstructor } from './constructor-tag.ts'
import { refuseUnlessObject } from './plain-object.ts'

/** `Bool`. */
export const bool: Cereal<boolean> = cerealType({
  name: 'Bool',
  write(output, value) {
    if (typeof value !== 'boolean') output.refuse('must be true or false.')
    output.byte(value ? 1 : 0)
  },
  read(input) {
    const byte = input.byte()
    if (byte > 1) input.fail('hold neither True nor False.')
    return byte === 1
  },
  compare: byOrder,
})

/** `()`: null, in no bytes at all. */
export const unit: Cereal<null> = cerealType<null>({
  name: '()',
  write(output, value) {
    if (value !== null) output.refuse('must be null.')
  },
  read: () => null,
  compare: () => 0,
  mayBeNull: () => true,
})

/**
 * A data type whose constructors have no fields: `data Colour = Red | Green | Blue`.
 *
 * @param names - All constructors, in the order in which Haskell declares them.
 * @throws {ConfigurationError} There is none, one stands twice, or they are 256, which cereal cannot read.
 * @example
 * ```ts
 * const colour = cereal.enumeration('Red', 'Green', 'Blue')
 * ```
 */
export function enumeration<const Names extends readonly [string, ...string[]]>(
  ...names: Names
): Cereal<Names[number]> {
  const tag = tagOf(names)
  return cerealType<Names[number]>({
    name: names.join(' | '),
    write(output, value) {
      const index = tag.indexes.get(value)
      if (index === undefined) return output.refuse(`must be one of the names of ${names.length}.`)
      writeConstructor(output, tag, index)
    },
    read: (input) => names[readConstructor(input, tag)] as Names[number],
    compare: (a, b) => (tag.indexes.get(a) ?? 0) - (tag.indexes.get(b) ?? 0),
  })
}

/** `Ordering`. */
export const ordering: Cereal<'LT' | 'EQ' | 'GT'> = enumeration('LT', 'EQ', 'GT')

/** What stands for a `Maybe`: null for `Nothing`, and the value itself unless it may be null too. */
export type Maybe<Value> = null extends Value ? { just: Value } | null : Value | null

/**
 * `Maybe`: null for `Nothing`, and the value for `Just`.
 *
 * Where the value may itself be null, as in `Maybe (Maybe Bool)`, a `Just` is `{ just: value }`.
 */
export function maybe<Value>(type: Cereal<Value>): Cereal<Maybe<Value>> {
  // Asked late, since a type that holds itself is not there yet. The type `Maybe` says the same of both.
  const isWrapped = (): boolean => type.parts.mayBeNull?.() === true
  const wrap = (value: Value): Maybe<Value> =>
    (isWrapped() ? { just: value } : value) as Maybe<Value>
  const unwrap = (value: Maybe<Value>): Value =>
    (isWrapped() ? (value as { just: Value }).just : value) as Value

  return cerealType<Maybe<Value>>({
    name: `Maybe (${type.name})`,
    write(output, value) {
      output.byte(value === null ? 0 : 1)
      if (value === null) return
      if (!isWrapped()) return type.parts.write(output, unwrap(value))
      refuseUnlessObject(output, value, ['just'])
      output.at('just', () => type.parts.write(output, value.just as Value))
    },
    // Haskell takes any tag but 0 for Just.
    read: (input) => (input.byte() === 0 ? (null as Maybe<Value>) : wrap(type.parts.read(input))),
    compare(a, b) {
      if (a === null || b === null) return byOrder(a !== null, b !== null)
      return type.parts.compare(unwrap(a), unwrap(b))
    },
    mayBeNull: () => true,
  })
}

/** What stands for an `Either`. */
export type Either<Left, Right> = { left: Left } | { right: Right }

/** `Either`: `{ left: value }` or `{ right: value }`. */
export function either<Left, Right>(
  left: Cereal<Left>,
  right: Cereal<Right>,
): Cereal<Either<Left, Right>> {
  return cerealType<Either<Left, Right>>({
    name: `Either (${left.name}) (${right.name})`,
    write(output, value) {
      const side = 'left' in value ? 'left' : 'right'
      refuseUnlessObject(output, value, [side])
      output.byte(side === 'left' ? 0 : 1)
      output.at(side, () => {
        if ('left' in value) left.parts.write(output, value.left)
        else right.parts.write(output, value.right)
      })
    },
    // Haskell takes any tag but 0 for Right.
    read: (input) =>
      input.byte() === 0 ? { left: left.parts.read(input) } : { right: right.parts.read(input) },
    compare(a, b) {
      if ('left' in a) return 'left' in b ? left.parts.compare(a.left, b.left) : -1
      return 'left' in b ? 1 : right.parts.compare(a.right, b.right)
    },
  })
}
