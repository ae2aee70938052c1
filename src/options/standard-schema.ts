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
type StandardSchemaResult<Output> =
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
