/** What adapters check of their arguments beside the sessions: mistakes that would show at a request only, or never. */
import { ConfigurationError } from '../errors.ts'
import { callback } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'

/** Reads the options of an adapter that has an error page: `{ onError }`. */
export function readErrorPage<Handler extends (...args: never[]) => unknown>(
  maker: string,
  given: unknown,
): Handler | undefined {
  const onError = callback<Handler, undefined>('(error) => …', undefined)
  return readOptions(maker, { onError }, given).onError
}

/**
 * @param line - What to write instead.
 * @throws {ConfigurationError} The argument is not a function.
 */
export function assertFunction(value: unknown, maker: string, what: string, line: string): void {
  if (typeof value === 'function') return
  throw new ConfigurationError(`${maker} needs ${what}. Write ${line}.`)
}
