import { isPromise } from '../options/is-promise.ts'

/** A result that is there at once unless something had to be waited for. */
export type MaybePromise<Result> = Result | Promise<Result>

/** Goes on with a result: at once if it is there, since a promise costs more than to decrypt a small value. */
export function andThen<Given, Result>(
  given: MaybePromise<Given>,
  next: (given: Given) => MaybePromise<Result>,
): MaybePromise<Result> {
  return isPromise(given) ? Promise.resolve(given).then(next) : next(given as Given)
}

/** Waits for all, if there is one to wait for. */
export function all<Result>(results: readonly MaybePromise<Result>[]): MaybePromise<Result[]> {
  return results.some(isPromise) ? Promise.all(results) : (results as Result[])
}

/** Gives the promise that must be waited for; null for a result that is there. */
export function pending<Result>(given: MaybePromise<Result>): Promise<Result> | null {
  return isPromise(given) ? Promise.resolve(given) : null
}
