/** What may be known of an error that a database client threw. */
export interface ClientErrorFacts {
  readonly name: string
  readonly message: string
  /** An SQLSTATE, a code of Node's, or one of the client's own. */
  readonly code: string | undefined
  readonly severity: string | undefined
  readonly errno: string | number | undefined
  readonly syscall: string | undefined
}

/** Reads the facts of whatever was thrown. They are the client's words: scrub before showing. */
export function readClientError(error: unknown): ClientErrorFacts {
  // A WebSocket's ErrorEvent, as Neon's client throws it, carries the error.
  const wrapped = (error as { readonly error?: unknown } | null | undefined)?.error
  if (wrapped instanceof Error) return readClientError(wrapped)
  const thrown = (error ?? {}) as Partial<Record<keyof ClientErrorFacts, unknown>>
  const first = firstAttempt(error)
  return {
    name: word(thrown.name) ?? 'Error',
    message: text(thrown.message) ?? first?.message ?? '',
    code: word(thrown.code) ?? first?.code,
    severity: word(thrown.severity),
    errno: typeof thrown.errno === 'number' ? thrown.errno : word(thrown.errno),
    syscall: word(thrown.syscall) ?? first?.syscall,
  }
}

/**
 * A copy of a client's error that is fit for logs: its name and codes, and nothing that PostgreSQL
 * or the client may have copied a value into (detail, where, hint, query, parameters, a foreign
 * message).
 */
export class ScrubbedError extends Error {
  constructor(facts: ClientErrorFacts, message: string) {
    super(message)
    for (const key of ['name', 'code', 'severity', 'errno', 'syscall'] as const) {
      if (facts[key] === undefined) continue
      Object.defineProperty(this, key, { value: facts[key], enumerable: key !== 'name' })
    }
    // The frames lead to the client's own socket handling, and the head repeats the message.
    this.stack = message === '' ? facts.name : `${facts.name}: ${message}`
  }
}

/** Node tries every address of a host name and throws all failures as one error without a message. */
function firstAttempt(error: unknown): ClientErrorFacts | undefined {
  if (!(error instanceof AggregateError) || error.errors.length === 0) return undefined
  return readClientError(error.errors[0])
}

/** Only a single word is taken over: prose could hold anything. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\p{L}\p{N}_]{1,64}$/u.test(value) ? value : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
