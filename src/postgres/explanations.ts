import { type Connection, type Driver, type ErrorExplanation, explainNodeError } from './driver.ts'

const explanations = new WeakMap<object, ErrorExplanation>()

/** Remembers what a driver says about an error that it rejected with. */
export function noteExplanation(driver: Driver, error: unknown): void {
  if (typeof error !== 'object' || error === null || explanations.has(error)) return
  const explanation = driver.explain?.(error)
  if (explanation !== undefined) explanations.set(error, explanation)
}

/** A driver's queries, with what it says about the errors they reject with remembered. */
export function explainedQueries(driver: Driver): Pick<Connection, 'query'> {
  return {
    query: async (statement, options) => {
      try {
        return await driver.query(statement, options)
      } catch (error) {
        noteExplanation(driver, error)
        throw error
      }
    },
  }
}

/** What its driver says about an error; what Node's own codes say if the driver says nothing. */
export function explanationOf(error: unknown): ErrorExplanation | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  return explanations.get(error) ?? explainNodeError(error)
}
