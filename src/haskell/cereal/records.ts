import { ConfigurationError } from '../../errors.ts'
import { type Cereal, type CerealValue, cerealType } from './cereal.ts'
import type { CerealInput } from './cereal-input.ts'
import type { CerealOutput } from './cereal-output.ts'
import { readConstructor, tagOf, writeConstructor } from './constructor-tag.ts'
import { refuseUnlessObject } from './plain-object.ts'

type Properties = Readonly<Record<string, unknown>>

/**
 * A data type with one constructor, as an object: `data User = User { userId :: Int64, name :: String }`.
 *
 * Haskell stores the fields in the order in which it declares them and not their names, so the order here
 * must be the same and the names are yours to choose.
 *
 * @throws {ConfigurationError} A name is a number, which JavaScript would bring into another order.
 * @example
 * ```ts
 * const user = cereal.record({ userId: cereal.int64, name: cereal.string })
 * ```
 */
export function record<Value extends object>(
  fields: {
    [Name in keyof Value]: Cereal<Value[Name]>
  },
): Cereal<Value> {
  const named = new NamedFields(fields)
  return cerealType<Value>({
    name: `{ ${named.names.join(', ')} }`,
    write(output, value) {
      refuseUnlessObject(output, value, named.names)
      named.write(output, value)
    },
    read: (input) => Object.fromEntries(named.read(input)) as Value,
    compare: (a, b) => named.compare(a as Properties, b as Properties),
  })
}

/**
 * A tuple, as an array: `(Int, Bool)`.
 *
 * A data type whose fields have no names is the same: `data Point = Point Double Double`.
 */
export function tuple<Values extends unknown[]>(
  ...types: { [Index in keyof Values]: Cereal<Values[Index]> }
): Cereal<Values> {
  const fields = new OrderedFields(types)
  return cerealType<Values>({
    name: `(${types.map(({ name }) => name).join(', ')})`,
    write: (output, value) => fields.write(output, value),
    read: (input) => fields.read(input) as Values,
    compare: (a, b) => fields.compare(a, b),
  })
}

/** The fields of one constructor: named, or in order. */
export type ConstructorFields =
  | Readonly<Record<string, Cereal<unknown>>>
  | readonly Cereal<unknown>[]

/** What stands for a data type: an object whose `type` names the constructor. */
export type DataValue<Constructors extends Readonly<Record<string, ConstructorFields>>> = {
  [Name in keyof Constructors & string]: Constructed<Name, Constructors[Name]>
}[keyof Constructors & string]

type Constructed<Name, Fields> = Fields extends readonly []
  ? { type: Name }
  : Fields extends readonly Cereal<unknown>[]
    ? { type: Name; fields: { -readonly [Index in keyof Fields]: CerealValue<Fields[Index]> } }
    : Flat<{ type: Name } & { -readonly [Field in keyof Fields]: CerealValue<Fields[Field]> }>

type Flat<Value> = { [Name in keyof Value]: Value[Name] }

/**
 * A data type with any number of constructors, as objects told apart by `type`; `fields` holds those that
 * have no names.
 *
 * @param constructors - All of them, in the order in which Haskell declares them.
 * @throws {ConfigurationError} There is none, they are 256, which cereal cannot read, or a field bears a
 * name that it cannot have.
 * @example
 * ```ts
 * const shape = cereal.data({
 *   Circle: { radius: cereal.double },
 *   Named: [cereal.string, cereal.maybe(cereal.bool)],
 *   Nowhere: [],
 * })
 * shape.encode({ type: 'Named', fields: ['dot', null] })
 * ```
 */
export function data<const Constructors extends Readonly<Record<string, ConstructorFields>>>(
  constructors: Constructors,
): Cereal<DataValue<Constructors>> {
  const names = Object.keys(constructors)
  const tag = tagOf(names)
  refuseReordered(names)
  const all = Object.values(constructors).map((fields) => new Constructor(fields))
  return cerealType<DataValue<Constructors>>({
    name: names.join(' | '),
    write(output, value) {
      const index = tag.indexes.get(value.type) ?? -1
      const found = all[index]
      if (found === undefined)
        return output.refuse('must be an object whose type is a constructor.')
      writeConstructor(output, tag, index)
      found.write(output, value)
    },
    read(input) {
      const index = readConstructor(input, tag)
      const fields = (all[index] as Constructor).read(input)
      return { type: names[index], ...fields } as DataValue<Constructors>
    },
    compare(a, b) {
      const index = tag.indexes.get(a.type) ?? -1
      const order = index - (tag.indexes.get(b.type) ?? -1)
      return order === 0 ? (all[index] as Constructor).compare(a, b) : order
    },
  })
}

/** One constructor of a data type, as the properties beside `type`. */
class Constructor {
  readonly #fields: NamedFields | OrderedFields
  readonly #names: readonly string[]

  constructor(fields: ConstructorFields) {
    if (isOrdered(fields)) {
      this.#fields = new OrderedFields(fields)
      this.#names = fields.length === 0 ? ['type'] : ['type', 'fields']
      return
    }
    this.#fields = new NamedFields(fields)
    this.#names = ['type', ...this.#fields.names]
    if (Object.hasOwn(fields, 'type')) {
      throw new ConfigurationError(
        "A field cannot be called 'type', which names the constructor. Give it another name: Haskell does not store names.",
      )
    }
  }

  write(output: CerealOutput, value: unknown): void {
    refuseUnlessObject(output, value, this.#names)
    const fields = this.#fields
    if (fields instanceof NamedFields) fields.write(output, value)
    else if (fields.length > 0) {
      output.at('fields', () => fields.write(output, value.fields as unknown[]))
    }
  }

  read(input: CerealInput): Properties {
    if (this.#fields instanceof NamedFields) return Object.fromEntries(this.#fields.read(input))
    return this.#fields.length > 0 ? { fields: this.#fields.read(input) } : {}
  }

  compare(a: unknown, b: unknown): number {
    const [left, right] = [a as Properties, b as Properties]
    if (this.#fields instanceof NamedFields) return this.#fields.compare(left, right)
    if (this.#fields.length === 0) return 0
    return this.#fields.compare(left.fields as unknown[], right.fields as unknown[])
  }
}

/** Fields that are the properties of an object. */
class NamedFields {
  readonly names: readonly string[]
  readonly #fields: readonly (readonly [string, Cereal<unknown>])[]

  constructor(fields: Readonly<Record<string, Cereal<unknown>>>) {
    this.#fields = Object.entries(fields)
    this.names = this.#fields.map(([name]) => name)
    refuseReordered(this.names)
  }

  write(output: CerealOutput, value: Properties): void {
    for (const [name, { parts }] of this.#fields) {
      output.at(name, () => parts.write(output, value[name]))
    }
  }

  read(input: CerealInput): [string, unknown][] {
    return this.#fields.map(([name, { parts }]) => [name, parts.read(input)])
  }

  compare(a: Properties, b: Properties): number {
    for (const [name, { parts }] of this.#fields) {
      const order = parts.compare(a[name], b[name])
      if (order !== 0) return order
    }
    return 0
  }
}

/** Fields that are the elements of an array. */
class OrderedFields {
  readonly #types: readonly Cereal<unknown>[]

  constructor(types: readonly Cereal<unknown>[]) {
    this.#types = types
  }

  get length(): number {
    return this.#types.length
  }

  write(output: CerealOutput, value: readonly unknown[]): void {
    if (!Array.isArray(value) || value.length !== this.length) {
      output.refuse(`must be an array of ${this.length}.`)
    }
    for (const [index, { parts }] of this.#types.entries()) {
      output.at(index, () => parts.write(output, value[index]))
    }
  }

  read(input: CerealInput): unknown[] {
    return this.#types.map(({ parts }) => parts.read(input))
  }

  compare(a: readonly unknown[], b: readonly unknown[]): number {
    for (const [index, { parts }] of this.#types.entries()) {
      const order = parts.compare(a[index], b[index])
      if (order !== 0) return order
    }
    return 0
  }
}

function isOrdered(fields: ConstructorFields): fields is readonly Cereal<unknown>[] {
  return Array.isArray(fields)
}

/** JavaScript keeps properties in the order in which they are written, but for these. */
function refuseReordered(names: readonly string[]): void {
  const wrong = names.find((name) => name === '__proto__' || /^\d+$/.test(name))
  if (wrong !== undefined) {
    throw new ConfigurationError(
      `A field cannot be called '${wrong}' in JavaScript. Give it another name: Haskell does not store names.`,
    )
  }
}
