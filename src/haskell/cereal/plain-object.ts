import type { CerealOutput } from './cereal-output.ts'

/**
 * Refuses what would not come back as it is: an object of a class, and properties beyond those named.
 *
 * @throws {InvalidValueError} The value is not a plain object with exactly these properties.
 */
export function refuseUnlessObject(
  output: CerealOutput,
  value: unknown,
  names: readonly string[],
): asserts value is Readonly<Record<string, unknown>> {
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  if (!isPlain) output.refuse('must be a plain object.')
  for (const name of names) {
    if (!Object.hasOwn(value, name)) output.at(name, () => output.refuse('is missing.'))
  }
  const found = Reflect.ownKeys(value)
  if (found.length === names.length) return
  const extra = found.find((name) => typeof name === 'symbol' || !names.includes(name))
  output.at(typeof extra === 'string' ? extra : { code: '[symbol]' }, () =>
    output.refuse('is a property that the type has not, and would be left out.'),
  )
}
