import { ConfigurationError } from '../errors.ts'
import { isPromise } from './is-promise.ts'

/**
 * A schema of Zod, Valibot, ArkType or any other library that follows Standard Schema.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** What a schema makes of a value. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

/** Where a value does not fit: `role`, or `address.city`. Values and messages, which may hold values, are left out. */
export function placesOf(
  issues: readonly { readonly path?: readonly unknown[] | undefined }[],
): string {
  const places = issues.map(({ path = [] }) =>
    path.map((step) => String(Object(step).key ?? step)).join('.'),
  )
  return [...new Set(places)].map((place) => place || 'the row itself').join(', ')
}

/**
 * Validates a value.
 *
 * @param name - Names the schema in messages: `data.basket`.
 * @throws {ConfigurationError} The schema throws, or gives something that is not a result. Its own error is the cause.
 */
export function validate<Output>(
  schema: StandardSchema<Output>,
  value: unknown,
  name: string,
): StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>> {
  const failed = (cause: unknown): never => {
    throw new ConfigurationError(
      `The schema of ${name} threw an error, which is the cause. Let it refuse the value instead.`,
      { cause },
    )
  }
  const checked = (given: unknown): StandardSchemaResult<Output> => {
    const { issues } = Object(given) as { readonly issues?: unknown }
    const isResult = issues === undefined ? 'value' in Object(given) : Array.isArray(issues)
    if (isResult) return given as StandardSchemaResult<Output>
    throw new ConfigurationError(
      `The schema of ${name} gave neither a value nor issues, so it does not follow Standard Schema.`,
    )
  }
  let given: unknown
  try {
    given = schema['~standard'].validate(value)
  } catch (error) {
    return failed(error)
  }
  return isPromise(given) ? Promise.resolve(given).catch(failed).then(checked) : checked(given)
}
