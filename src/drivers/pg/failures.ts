import type { ErrorExplanation } from '../../postgres/driver.ts'
import { describeServer, explainWith } from '../failures/connection-failure.ts'

const WORDS = {
  neverSent: new Set([
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Connection terminated due to connection timeout',
    'Client has encountered a connection error and is not queryable',
    'Client was closed and is not queryable',
  ]),
  closed: new Set(['Cannot use a pool after calling end on the pool']),
  cutOff: new Set([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Query read timeout',
  ]),
}

/** Explains the errors of `pg`, and of clients that behave alike. */
export function explainPgErrors(
  server: () => string,
  settings?: object,
): (error: unknown) => ErrorExplanation | undefined {
  const explain = explainWith(WORDS, () => ({
    server: server(),
    startupOption: "your Pool's options",
  }))
  return (error) => {
    const explanation = explain(error)
    if (explanation === undefined || !isOfAddress(explanation)) return explanation
    const advice = [explanation.advice, addressAdvice(settings)].filter(Boolean).join(' ')
    return advice === '' ? explanation : { ...explanation, advice }
  }
}

/** Whether another address or other credentials might have led to the database. */
function isOfAddress({ kind, advice }: ErrorExplanation): boolean {
  return (kind === 'unreachable' && advice === undefined) || kind === 'refused'
}

/** What may be wrong with the address of a pool: it was forgotten, or `pg` reads it otherwise than you mean it. */
function addressAdvice(settings: object | undefined): string | undefined {
  if (settings === undefined) return undefined
  const { connectionString, host } = settings as {
    readonly connectionString?: unknown
    readonly host?: unknown
  }
  if (typeof connectionString === 'string' && connectionString !== '') {
    return /^(?:postgres(?:ql)?:|socket:|\/)/i.test(connectionString)
      ? undefined
      : 'The connection string does not begin with postgres://, so pg reads it in another way.'
  }
  return host || process.env.PGHOST || process.env.PGUSER
    ? undefined
    : 'The Pool was given neither a connection string nor a host, so pg tries its defaults: is DATABASE_URL set?'
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
