import { ConfigurationError } from '../errors.ts'

/**
 * The error for an adapter that is called in a way its own framework never would, which is how a wrong
 * `app.use` or `app.register` shows.
 *
 * @param adapter - The name of the function that makes the adapter.
 * @param mount - What to write instead.
 */
export function wrongMount(adapter: string, mount: string): ConfigurationError {
  return new ConfigurationError(
    `${adapter}(sessions) is mounted in the wrong way or in the wrong framework. Write ${mount}. Every other framework has an adapter of its own, listed in docs/frameworks.md.`,
  )
}

/** Tells the error to the framework: by `next`, if there is one (Fastify crashes on what a plugin throws). */
export function refuseMount(adapter: string, mount: string, next: unknown): void {
  const error = wrongMount(adapter, mount)
  if (typeof next !== 'function') throw error
  next(error)
}

/** Whether this is a response of Node's, which middleware of Express and Connect is called with. */
export function isNodeResponse(response: unknown): boolean {
  return typeof Reflect.get(Object(response), 'setHeader') === 'function'
}

/** Whether this is a request of the Fetch standard, or a stand-in for one. */
export function isFetchRequest(request: unknown): boolean {
  const headers: unknown = Reflect.get(Object(request), 'headers')
  return typeof Reflect.get(Object(headers), 'get') === 'function'
}

/** Also one of another realm or of the package undici, which are not instances of the global class. */
export function isFetchResponse(response: unknown): response is Response {
  // First, since the responses of some servers make their headers only when asked for them.
  if (response instanceof Response) return true
  const { status, headers } = Object(response)
  return typeof status === 'number' && typeof headers?.get === 'function'
}
