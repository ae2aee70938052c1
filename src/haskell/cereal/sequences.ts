import { ConfigurationError } from '../../errors.ts'
import { byOrder, byParts, type Cereal, cerealType } from './cereal.ts'
import type { CerealInput } from './cereal-input.ts'
import type { CerealOutput } from './cereal-output.ts'
import { refuseUnlessObject } from './plain-object.ts'

/** A list, `[a]`. */
export function list<Value>(type: Cereal<Value>): Cereal<Value[]> {
  return listOf(`[${type.name}]`, type)
}

/** `Data.Sequence.Seq`, as an array. */
export function seq<Value>(type: Cereal<Value>): Cereal<Value[]> {
  return listOf(`Seq (${type.name})`, type)
}

function listOf<Value>(name: string, type: Cereal<Value>): Cereal<Value[]> {
  return cerealType<Value[]>({
    name,
    write: (output, value) => writeElements(output, type, value),
    read: (input) => readElements(input, type),
    compare: (a, b) => byParts(a, b, (left, right) => type.parts.compare(left, right)),
  })
}

function writeElements<Value>(
  output: CerealOutput,
  type: Cereal<Value>,
  value: readonly Value[],
): void {
  if (!Array.isArray(value)) output.refuse('must be an array.')
  output.parts<Value>(
    value,
    (index) => index,
    (part) => type.parts.write(output, part),
  )
}

function readElements<Value>(input: CerealInput, type: Cereal<Value>): Value[] {
  const elements: Value[] = []
  input.parts(() => elements.push(type.parts.read(input)))
  return elements
}

/** What stands for a `Data.Tree.Tree`. */
export interface Tree<Value> {
  rootLabel: Value
  subForest: Tree<Value>[]
}

/** `Data.Tree.Tree`, up to 500 levels deep. */
export function tree<Value>(type: Cereal<Value>): Cereal<Tree<Value>> {
  const self: Cereal<Tree<Value>> = cerealType<Tree<Value>>({
    name: `Tree (${type.name})`,
    write(output, value) {
      refuseUnlessObject(output, value, ['rootLabel', 'subForest'])
      output.nested(() => {
        output.at('rootLabel', () => type.parts.write(output, value.rootLabel))
        output.at('subForest', () => writeElements(output, self, value.subForest))
      })
    },
    read: (input) =>
      input.nested(() => ({
        rootLabel: type.parts.read(input),
        subForest: readElements(input, self),
      })),
    compare: (a, b) =>
      type.parts.compare(a.rootLabel, b.rootLabel) ||
      byParts(a.subForest, b.subForest, (left, right) => self.parts.compare(left, right)),
  })
  return self
}

/** What stands for an array: its elements, and the indexes of the first and the last. */
export interface IndexedArray<Index, Value> {
  lower: Index
  upper: Index
  elements: Value[]
}

/**
 * `Data.Array.Array` or `UArray`, indexed by a type of whole numbers.
 *
 * @throws {ConfigurationError} The index is of another type.
 */
export function array<Index extends number | bigint, Value>(
  index: Cereal<Index>,
  type: Cereal<Value>,
): Cereal<IndexedArray<Index, Value>> {
  if (index.parts.range === undefined) {
    throw new ConfigurationError(
      `An array is indexed by whole numbers, and ${index.name} is none. Write cereal.array(cereal.int, …), for one.`,
    )
  }
  return cerealType<IndexedArray<Index, Value>>({
    name: `Array ${index.name} (${type.name})`,
    write(output, value) {
      refuseUnlessObject(output, value, ['lower', 'upper', 'elements'])
      const { lower, upper, elements } = value
      output.at('lower', () => index.parts.write(output, lower))
      output.at('upper', () => index.parts.write(output, upper))
      output.at('elements', () => {
        writeElements(output, type, elements)
        if (BigInt(elements.length) !== sizeOf(lower, upper)) {
          output.refuse('must have as many elements as there are indexes.')
        }
      })
    },
    read(input) {
      const lower = index.parts.read(input)
      const upper = index.parts.read(input)
      const elements = readElements(input, type)
      const size = sizeOf(lower, upper)
      // Haskell gives an array with holes then, and fails when one is looked at.
      if (BigInt(elements.length) < size) input.fail('hold an array that lacks elements.')
      return { lower, upper, elements: elements.slice(0, Number(size)) }
    },
    compare: (a, b) => compareArrays(a, b, type),
  })
}

function sizeOf(lower: number | bigint, upper: number | bigint): bigint {
  const size = BigInt(upper) - BigInt(lower) + 1n
  return size < 0n ? 0n : size
}

/** As the lists of index and element compare. */
function compareArrays<Index extends number | bigint, Value>(
  a: IndexedArray<Index, Value>,
  b: IndexedArray<Index, Value>,
  type: Cereal<Value>,
): number {
  if (a.elements.length === 0 || b.elements.length === 0) {
    return a.elements.length - b.elements.length
  }
  return (
    byOrder(a.lower, b.lower) ||
    byParts(a.elements, b.elements, (left, right) => type.parts.compare(left, right))
  )
}
