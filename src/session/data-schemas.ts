import { pathTo, rootPath } from '../codec/value-path.ts'
import { ConfigurationError, InvalidValueError, UndecodableError } from '../errors.ts'
import { isPromise } from '../options/is-promise.ts'
import { refuse } from '../options/option.ts'
import { type StandardSchema, validate } from '../options/standard-schema.ts'

/** The schema of one key's values, and how values of an older release become such ones. */
export interface UpgradedSchema<Value> {
  readonly schema: StandardSchema<Value>
  /**
   * Makes a value of one that is stored and does not fit the schema; undefined if there is no way. It runs at each
   * read until a value is written.
   */
  readonly upgrade: (stored: unknown) => unknown
}

/** The schemas of a session's values by key: `{ basket: z.array(z.string()) }`. */
export type DataSchemas = Readonly<
  Record<string, StandardSchema<unknown> | UpgradedSchema<unknown>>
>

/** What sessions hold that are checked by these schemas. */
export type DataOf<Schemas extends DataSchemas> = {
  -readonly [Key in keyof Schemas]: Schemas[Key] extends StandardSchema<infer Value>
    ? Value
    : Schemas[Key] extends UpgradedSchema<infer Value>
      ? Value
      : never
}

/** A stored value that does not fit its schema. */
export class UnfitValue extends UndecodableError {
  /** Where it does not: `basket[0].price`. */
  readonly places: readonly string[]

  constructor(places: readonly string[]) {
    super('The stored value does not fit its schema.')
    this.places = places
  }
}

/** Checks the values of sessions by their schemas. */
export class DataChecks {
  readonly #schemas: ReadonlyMap<
    string,
    UpgradedSchema<unknown> | { schema: StandardSchema<unknown> }
  >

  constructor(
    schemas: Iterable<readonly [string, StandardSchema<unknown> | UpgradedSchema<unknown>]>,
  ) {
    this.#schemas = new Map(
      [...schemas].map(([key, given]) => [key, isSchema(given) ? { schema: given } : given]),
    )
  }

  has(key: string): boolean {
    return this.#schemas.has(key)
  }

  /** @throws {InvalidValueError} No schema is given for the key. */
  checkKey(key: string): void {
    if (this.has(key)) return
    throw new InvalidValueError(
      rootPath(key),
      'is not a key of these sessions: the setting data of createSessions has no schema for it.',
    )
  }

  /** @throws {InvalidValueError} The value does not fit the schema of its key; names the place, never the value. */
  check(key: string, value: unknown): void {
    this.checkKey(key)
    const result = this.#validate(key, value)
    if ('value' in result) return
    throw new InvalidValueError(
      result.places[0] as string,
      'does not fit the schema that the setting data of createSessions has for it.',
    )
  }

  /** Gives what the schema makes of a stored value. @throws {UnfitValue} The value fits neither as it is nor upgraded. */
  read(key: string, stored: unknown): unknown {
    const result = this.#validate(key, stored)
    if ('value' in result) return result.value
    const upgraded = this.#upgrade(key, stored)
    const again = upgraded === undefined ? result : this.#validate(key, upgraded)
    if ('value' in again) return again.value
    throw new UnfitValue(result.places)
  }

  #upgrade(key: string, stored: unknown): unknown {
    const schema = this.#schemas.get(key)
    if (schema === undefined || !('upgrade' in schema)) return undefined
    const upgraded = upgradeWith(schema.upgrade, stored, key)
    if (!isPromise(upgraded)) return upgraded
    upgraded.then(undefined, () => undefined)
    throw new ConfigurationError(
      `data.${key}.upgrade is asynchronous. Sessions read values at once: let it give the value itself.`,
    )
  }

  #validate(
    key: string,
    value: unknown,
  ): { readonly value: unknown } | { readonly places: readonly string[] } {
    const schema = (this.#schemas.get(key) as UpgradedSchema<unknown>).schema
    const result = validate(schema, value, `data.${key}`)
    if (isPromise(result)) {
      result.then(undefined, () => undefined)
      throw new ConfigurationError(
        `The schema of data.${key} is asynchronous. Sessions check values at once: leave out refinements and transformations that wait for something.`,
      )
    }
    if (result.issues === undefined) return { value: result.value }
    const places = result.issues.map(({ path = [] }) => pathTo(rootPath(key), path.map(stepOf)))
    return { places: [...new Set(places.length === 0 ? [rootPath(key)] : places)] }
  }
}

/** @throws {ConfigurationError} It throws. Its own error is the cause. */
function upgradeWith(
  upgrade: UpgradedSchema<unknown>['upgrade'],
  stored: unknown,
  key: string,
): unknown {
  try {
    return upgrade(stored)
  } catch (cause) {
    throw new ConfigurationError(
      `data.${key}.upgrade threw an error, which is the cause. Let it give undefined for a value that it cannot upgrade.`,
      { cause },
    )
  }
}

/** @throws {ConfigurationError} Something in it is not a schema. */
export function readDataSchemas(value: unknown, name: string): DataChecks {
  if (typeof value !== 'object' || value === null || isSchema(value)) {
    return refuse(
      name,
      'an object with a schema for each key, like { basket: z.array(z.string()) }',
      value,
    )
  }
  for (const [key, given] of Object.entries(value)) {
    const { schema, upgrade } = Object(given) as Partial<UpgradedSchema<unknown>>
    if (isSchema(given) || (isSchema(schema) && typeof upgrade === 'function')) continue
    refuse(
      `${name}.${key}`,
      'a schema of Zod, Valibot, ArkType or another library that follows Standard Schema, or { schema, upgrade }',
      given,
    )
  }
  return new DataChecks(Object.entries(value))
}

function isSchema(value: unknown): value is StandardSchema<unknown> {
  const { '~standard': standard } = Object(value) as Partial<StandardSchema<unknown>>
  return standard?.version === 1 && typeof standard.validate === 'function'
}

function stepOf(step: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof step === 'object' ? step.key : step
  return typeof key === 'number' ? key : String(key)
}
