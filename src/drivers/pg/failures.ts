import type { ErrorExplanation } from '../../postgres/driver.ts'
import { describeServer, explainWith } from '../failures/connection-failure.ts'

const WORDS = {
  neverSent: new Set([
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Connection terminated due to connection timeout',
    'Client has encountered a connection error and is not queryable',
    'Client was closed and is not queryable',
    'Cannot use a pool after calling end on the pool',
  ]),
  cutOff: new Set([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Query read timeout',
  ]),
}

/** Explains the errors of `pg`, and of clients that behave alike. */
export function explainPgErrors(
  server: () => string,
): (error: unknown) => ErrorExplanation | undefined {
  return explainWith(WORDS, () => ({
    server: server(),
    startupOption: "your Pool's options",
  }))
}

/** What a client of `pg` has read of its settings, its connection string and the environment. */
interface PgDestination {
  readonly host?: string
  readonly port?: number
  readonly database?: string
}

/** Where a pool's clients connect to. A client is made to find out, but never connected. */
export function serverOfPool(pool: {
  readonly Client?: new (options: object) => object
  readonly options?: object
}): () => string {
  let server: string | undefined
  return () => {
    server ??= describe(pool)
    return server
  }
}

function describe({ Client, options }: Parameters<typeof serverOfPool>[0]): string {
  try {
    if (Client === undefined || options === undefined) return 'unknown server'
    const { host, port, database } = new Client(options) as PgDestination
    return describeServer(host, port, database)
  } catch {
    return 'unknown server'
  }
}
