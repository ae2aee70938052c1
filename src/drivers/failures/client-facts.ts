/** What the drivers read of an error that a client threw. */
export interface ClientFacts {
  /** In the client's or server's words, on one line, without addresses that may hold a password. */
  readonly message: string
  readonly code: string | undefined
  readonly syscall: string | undefined
  /** Whether the server sent it: only its errors have a severity. */
  readonly isFromServer: boolean
}

const LONGEST_MESSAGE = 300

/** Reads an error, also one that a client has wrapped in an `ErrorEvent` or an `AggregateError`. */
export function factsOf(thrown: unknown): ClientFacts {
  const { message, code, syscall, severity } = Object(unwrapped(thrown)) as Record<string, unknown>
  return {
    message: typeof message === 'string' ? onOneLine(message) : '',
    code: typeof code === 'string' ? code : undefined,
    syscall: typeof syscall === 'string' ? syscall : undefined,
    isFromServer: typeof severity === 'string',
  }
}

/** Whether a code is an SQLSTATE. Each has a digit; Node's codes of five letters, such as EPIPE, have none. */
export function isSqlState(code: string | undefined): code is string {
  return code !== undefined && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)
}

function unwrapped(thrown: unknown): unknown {
  const { error, errors } = Object(thrown) as { error?: unknown; errors?: unknown }
  if (error instanceof Error) return unwrapped(error)
  // Node tries every address of a host name and throws all failures as one error without a message.
  if (thrown instanceof AggregateError && Array.isArray(errors) && errors[0] instanceof Error) {
    return unwrapped(errors[0])
  }
  return thrown
}

function onOneLine(message: string): string {
  return message
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\b\w+:\/\/\S+/g, '(an address)')
    .replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(0, LONGEST_MESSAGE)
}
