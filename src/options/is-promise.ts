/**
 * Whether a result must be waited for. Promises of another library, and those of another realm, as in Jest, are of
 * another class.
 */
export function isPromise(given: unknown): given is PromiseLike<unknown> {
  return typeof (Object(given) as { readonly then?: unknown }).then === 'function'
}
