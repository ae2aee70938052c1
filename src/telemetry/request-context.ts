import { AsyncResource } from 'node:async_hooks'

/** Made when this module loads, which no request does. */
const process = new AsyncResource('pg-sessions')

/**
 * Runs work that several requests share in the context of none of them. What follows a request by
 * `AsyncLocalStorage`, as a tracer does, would otherwise attribute all of it to the request that began it.
 */
export function outsideRequests<Result>(work: () => Result): Result {
  return process.runInAsyncScope(work)
}

/** Makes a callback run in the context of this call, whichever request's context it is called back in. */
export function inThisContext<Args extends readonly unknown[]>(
  callback: (...args: Args) => void,
): (...args: Args) => void {
  return AsyncResource.bind(callback)
}
