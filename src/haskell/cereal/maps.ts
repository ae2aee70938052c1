import { type PathStep, quoted } from '../../codec/value-path.ts'
import { byParts, type Cereal, cerealType } from './cereal.ts'
import type { CerealInput } from './cereal-input.ts'
import type { CerealOutput } from './cereal-output.ts'
import { int } from './numbers.ts'

/**
 * `Data.Map.Map`, as a JavaScript `Map` in Haskell's order of keys.
 *
 * Keys that are objects (tuples, data types) are found by iteration, since JavaScript compares objects by
 * identity. Two keys that are equal to Haskell are refused.
 *
 * @example
 * ```ts
 * const visits = cereal.map(cereal.string, cereal.list(cereal.int64))
 * ```
 */
export function map<Key, Value>(key: Cereal<Key>, value: Cereal<Value>): Cereal<Map<Key, Value>> {
  return cerealType<Map<Key, Value>>({
    name: `Map (${key.name}) (${value.name})`,
    write(output, entries) {
      if (!(entries instanceof Map)) output.refuse('must be a Map.')
      writeSorted(output, [...entries.keys()], key, nameKey, (each) =>
        output.at(nameValue(each), () => value.parts.write(output, entries.get(each) as Value)),
      )
    },
    read(input) {
      const found: [Key, Value][] = []
      input.parts(() => found.push([key.parts.read(input), value.parts.read(input)]))
      const byKey = (a: [Key, Value], b: [Key, Value]): number => key.parts.compare(a[0], b[0])
      return new Map(orderRead(input, found, byKey, ([each]) => each))
    },
    compare: (a, b) =>
      byParts(
        [...a].sort((left, right) => key.parts.compare(left[0], right[0])),
        [...b].sort((left, right) => key.parts.compare(left[0], right[0])),
        (left, right) =>
          key.parts.compare(left[0], right[0]) || value.parts.compare(left[1], right[1]),
      ),
  })
}

/** `Data.Set.Set`, as a JavaScript `Set` in Haskell's order. */
export function set<Value>(type: Cereal<Value>): Cereal<Set<Value>> {
  return cerealType<Set<Value>>({
    name: `Set (${type.name})`,
    write(output, members) {
      if (!(members instanceof Set)) output.refuse('must be a Set.')
      writeSorted(output, [...members], type, nameMember, () => undefined)
    },
    read(input) {
      const found: Value[] = []
      input.parts(() => found.push(type.parts.read(input)))
      return new Set(orderRead(input, found, type.parts.compare, (each) => each))
    },
    compare: (a, b) =>
      byParts([...a].sort(type.parts.compare), [...b].sort(type.parts.compare), type.parts.compare),
  })
}

/** `Data.IntMap.IntMap`. */
export function intMap<Value>(value: Cereal<Value>): Cereal<Map<bigint, Value>> {
  return map(int, value)
}

/** `Data.IntSet.IntSet`. */
export const intSet: Cereal<Set<bigint>> = set(int)

function nameKey(index: number): PathStep {
  return { code: `.keys()[${index}]` }
}

function nameMember(index: number): PathStep {
  return { code: `.values()[${index}]` }
}

function nameValue(key: unknown): PathStep {
  return { code: `.get(${typeof key === 'string' ? quoted(key) : typeof key})` }
}

/** Something with a key, and where it stood in the map or set that was given. */
interface Placed<Key> {
  readonly key: Key
  readonly index: number
}

/**
 * Writes keys in Haskell's order, after all have been found to be of their type.
 *
 * @throws {InvalidValueError} One is not, or two are equal to Haskell.
 */
function writeSorted<Key>(
  output: CerealOutput,
  keys: readonly Key[],
  type: Cereal<Key>,
  name: (index: number) => PathStep,
  writeMore: (key: Key) => void,
): void {
  const placed = keys.map((key, index): Placed<Key> => ({ key, index }))
  for (const { key, index } of placed) {
    output.at(name(index), () => output.check(() => type.parts.write(output, key)))
  }
  placed.sort((a, b) => type.parts.compare(a.key, b.key))
  for (const [position, { key, index }] of placed.entries()) {
    const before = placed[position - 1]
    if (before !== undefined && type.parts.compare(before.key, key) === 0) {
      output.at(name(index), () => output.refuse('is equal to another one.'))
    }
  }
  output.parts(
    placed,
    (position) => name((placed[position] as Placed<Key>).index),
    ({ key }) => {
      type.parts.write(output, key)
      writeMore(key)
    },
  )
}

/**
 * Brings what was read into Haskell's order; of equal keys the last one counts, as it does there.
 *
 * @throws {UndecodableError} Two keys, such as two `NaN`, are one to JavaScript only.
 */
function orderRead<Found>(
  input: CerealInput,
  found: Found[],
  compare: (a: Found, b: Found) => number,
  keyOf: (found: Found) => unknown,
): Found[] {
  found.sort(compare)
  const kept = found.filter((each, index) => {
    const next = found[index + 1]
    return next === undefined || compare(each, next) !== 0
  })
  if (new Set(kept.map(keyOf)).size < kept.length) {
    input.fail('hold two keys that JavaScript cannot tell apart.')
  }
  return kept
}
