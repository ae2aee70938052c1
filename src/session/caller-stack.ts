/**
 * Adds the frames of the caller to an error that happened in a callback of the database client, whose stack
 * shows none of them. Called in the `catch` of an `async` function whose promise the caller awaits: V8 then
 * knows the caller, and a call that succeeds costs nothing.
 */
export function withCaller(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const here: { stack?: string } = {}
  Error.captureStackTrace?.(here, withCaller)
  const frames = here.stack?.split('\n').slice(1) ?? []
  if (frames.length === 0 || Object.isFrozen(error)) return error
  // Of an earlier call that failed with the same error, the caller is replaced.
  const [origin = ''] = (error.stack ?? '').split(SEPARATOR)
  Object.defineProperty(error, 'stack', {
    value: `${origin}${SEPARATOR}${frames.join('\n')}`,
    writable: true,
    configurable: true,
    enumerable: false,
  })
  return error
}

/** Waits for an answer, and shows the caller in the stack of its error. */
export async function asked<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer
  } catch (error) {
    throw withCaller(error)
  }
}

const SEPARATOR = '\n    --- called by ---\n'
