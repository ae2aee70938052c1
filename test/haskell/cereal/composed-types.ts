import fc from 'fast-check'
import { type Cereal, cereal } from 'pg-sessions/haskell/cereal'

/** A type made at random, and values of it. */
export interface Sample {
  readonly type: Cereal<unknown>
  readonly values: fc.Arbitrary<unknown>
}

const DEEPEST = 3

function sample<Value>(type: Cereal<Value>, values: fc.Arbitrary<Value>): Sample {
  return { type, values }
}

const bits = (type: Cereal<bigint>, least: bigint, most: bigint): Sample =>
  sample(type, fc.bigInt(least, most))
const small = (type: Cereal<number>, min: number, max: number): Sample =>
  sample(type, fc.integer({ min, max }))

const codePoint = fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point))
const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.string({ unit: codePoint }),
)
const text = anyString.map((value) => value.toWellFormed())

const simple: readonly Sample[] = [
  sample(cereal.bool, fc.boolean()),
  sample(cereal.unit, fc.constant(null)),
  sample(cereal.ordering, fc.constantFrom('LT', 'EQ', 'GT')),
  sample(cereal.enumeration('One'), fc.constant('One')),
  small(cereal.int8, -128, 127),
  small(cereal.int16, -32768, 32767),
  small(cereal.int32, -(2 ** 31), 2 ** 31 - 1),
  small(cereal.word8, 0, 255),
  small(cereal.word16, 0, 65535),
  small(cereal.word32, 0, 2 ** 32 - 1),
  bits(cereal.int64, -(2n ** 63n), 2n ** 63n - 1n),
  bits(cereal.int, -(2n ** 63n), 2n ** 63n - 1n),
  bits(cereal.word64, 0n, 2n ** 64n - 1n),
  bits(cereal.word, 0n, 2n ** 64n - 1n),
  bits(cereal.integer, -(2n ** 200n), 2n ** 200n),
  bits(cereal.natural, 0n, 2n ** 200n),
  sample(cereal.double, fc.double()),
  sample(cereal.float, fc.float()),
  sample(cereal.char, codePoint),
  sample(cereal.string, anyString),
  sample(cereal.text, text),
  sample(cereal.textAsString, text),
  sample(cereal.bytes, fc.uint8Array()),
  sample(
    cereal.ratio(cereal.int64),
    fc.record({ numerator: fc.integer(), up: fc.nat(1000) }).map(({ numerator, up }) => ({
      // Neighbours have no common divisor.
      numerator: BigInt(numerator) * BigInt(up + 1) + 1n,
      denominator: BigInt(up + 1),
    })),
  ),
]

/** Any type that can be put together from the others, a few levels deep. */
export const composed: fc.Arbitrary<Sample> = atDepth(0)

function atDepth(depth: number): fc.Arbitrary<Sample> {
  const leaf = fc.constantFrom(...simple)
  if (depth === DEEPEST) return leaf
  const inner = atDepth(depth + 1)
  return fc.oneof(
    { arbitrary: leaf, weight: 3 },
    { arbitrary: inner.map(listOf), weight: 1 },
    { arbitrary: inner.map(maybeOf), weight: 1 },
    { arbitrary: inner.map(treeOf), weight: 1 },
    { arbitrary: fc.tuple(inner, inner).map(([left, right]) => eitherOf(left, right)), weight: 1 },
    { arbitrary: fc.array(inner, { minLength: 2, maxLength: 4 }).map(tupleOf), weight: 1 },
    { arbitrary: fc.array(inner, { maxLength: 4 }).map(recordOf), weight: 1 },
    { arbitrary: fc.array(inner, { minLength: 1, maxLength: 4 }).map(dataOf), weight: 1 },
    { arbitrary: fc.tuple(leaf, inner).map(([key, value]) => mapOf(key, value)), weight: 1 },
    { arbitrary: leaf.map(setOf), weight: 1 },
  )
}

const few = { maxLength: 4 }

function listOf({ type, values }: Sample): Sample {
  return sample(cereal.list(type), fc.array(values, few))
}

function maybeOf({ type, values }: Sample): Sample {
  const isWrapped = type.parts.mayBeNull?.() === true
  const just = isWrapped ? values.map((value) => ({ just: value })) : values
  return { type: cereal.maybe(type), values: fc.option(just, { nil: null }) }
}

function treeOf({ type, values }: Sample): Sample {
  const { tree } = fc.letrec((tie) => ({
    tree: plainRecord({
      rootLabel: values,
      subForest: fc.oneof({ depthSize: 'small' }, fc.constant([]), fc.array(tie('tree'), few)),
    }),
  }))
  return { type: cereal.tree(type), values: tree }
}

function eitherOf(left: Sample, right: Sample): Sample {
  return {
    type: cereal.either(left.type, right.type),
    values: fc.oneof(plainRecord({ left: left.values }), plainRecord({ right: right.values })),
  }
}

function tupleOf(samples: readonly Sample[]): Sample {
  return {
    type: cereal.tuple(...samples.map(({ type }) => type)),
    values: fc.tuple(...samples.map(({ values }) => values)),
  }
}

function recordOf(samples: readonly Sample[]): Sample {
  const fields = samples.map((each, index) => [`field${index}`, each] as const)
  return {
    type: cereal.record(Object.fromEntries(fields.map(([name, { type }]) => [name, type]))),
    values: plainRecord(Object.fromEntries(fields.map(([name, { values }]) => [name, values]))),
  }
}

function dataOf(samples: readonly Sample[]): Sample {
  const constructors = samples.map((each, index) => [`Number${index}`, each] as const)
  const named = constructors.map(([name, { type }], index) => [
    name,
    index % 2 === 0 ? [type] : { held: type },
  ])
  const values = constructors.map(([name, { values }], index) =>
    index % 2 === 0
      ? plainRecord({ type: fc.constant(name), fields: fc.tuple(values) })
      : plainRecord({ type: fc.constant(name), held: values }),
  )
  return {
    type: cereal.data({ ...Object.fromEntries(named), Empty: [] }),
    values: fc.oneof(...values, plainRecord({ type: fc.constant('Empty') })),
  }
}

/** Keys that are equal to Haskell, as objects may be, are refused, so none are given twice. */
function mapOf(key: Sample, value: Sample): Sample {
  return sample(
    cereal.map(key.type, value.type),
    fc
      .uniqueArray(fc.tuple(keysOf(key), value.values), {
        ...few,
        comparator: (a, b) => key.type.parts.compare(a[0], b[0]) === 0,
      })
      .map((pairs) => new Map(pairs)),
  )
}

function setOf(member: Sample): Sample {
  return sample(
    cereal.set(member.type),
    fc
      .uniqueArray(keysOf(member), {
        ...few,
        comparator: (a, b) => member.type.parts.compare(a, b) === 0,
      })
      .map((members) => new Set(members)),
  )
}

/** A map turns -0 into 0 by itself, and holds one NaN where Haskell holds many. */
function keysOf({ values }: Sample): fc.Arbitrary<unknown> {
  return values.filter((value) => !Object.is(value, -0) && !Number.isNaN(value))
}

/** fast-check gives objects without prototype otherwise, which no type would give back. */
function plainRecord(
  properties: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(properties, { noNullPrototype: true })
}
