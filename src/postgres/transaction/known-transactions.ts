/**
 * Runs a statement with `$1`-style parameters in a transaction, and gives its rows. All parameters and all columns
 * are text.
 *
 * `sessions.in` takes one in place of a client that it does not know.
 */
export type TransactionQuery = (
  text: string,
  values: (string | null)[],
) => PromiseLike<readonly object[] | { readonly rows: readonly object[] }>

type Rows = ReturnType<TransactionQuery>
type Values = (string | null)[]

/** The transaction of one client or ORM. A client that is not in a transaction has an entry too, to say so. */
interface KnownTransaction {
  /** Properties that together tell it from all others. */
  readonly has: readonly string[]
  /** Says why no transaction is open, and what to write. */
  problem?(client: never): string | undefined
  /** Whether it goes on to run statements after its transaction has ended, and does not say so. */
  outlives?(client: never): boolean
  /** The client within, which runs the statements. */
  inner?(client: never): unknown
  ask?(client: never, text: string, values: Values): Rows
}

/** Overrules the type parsers that an application may have set in `pg`. */
const types = { getTypeParser: (): ((value: unknown) => string) => String }

/** Declares one with the type of its client, which is known by its properties only. */
function known<Client>(
  has: readonly string[],
  is: {
    problem?(client: Client): string | undefined
    outlives?(client: Client): boolean
    inner?(client: Client): unknown
    ask?(client: Client, text: string, values: Values): Rows
  },
): KnownTransaction {
  return { has, ...is } as KnownTransaction
}

interface CanQuery {
  query(text: string, values: Values): Rows
}

const never = (message: string): { problem(): string } => ({ problem: () => message, ...refused })
const refused = { ask: (): Rows => Promise.resolve([]) }

/** Those that wrap another client come first, and a transaction before the client that it is of. */
export const KNOWN_TRANSACTIONS: readonly KnownTransaction[] = [
  known<{ finished?: unknown; connection?: unknown }>(['sequelize', 'afterCommit', 'commit'], {
    problem: ({ finished, connection }) =>
      finished === undefined && connection !== undefined
        ? undefined
        : 'This transaction of Sequelize is not open.',
    inner: ({ connection }) => connection,
  }),
  known<{ session: { client: unknown } }>(['dialect', 'session', 'rollback', 'execute'], {
    inner: ({ session }) => session.client,
  }),
  known(
    ['$client', '$with'],
    never(
      'It is a database of Drizzle. Write sessions.in(tx) within db.transaction(async (tx) => …).',
    ),
  ),
  known<{
    isTransaction: boolean
    isCommitted?: boolean
    isRolledBack?: boolean
    executeQuery(query: object): Rows
  }>(['selectFrom', 'getExecutor', 'isTransaction'], {
    problem: ({ isTransaction, isCommitted, isRolledBack }) =>
      isTransaction && !isCommitted && !isRolledBack
        ? undefined
        : 'This Kysely is not in a transaction. Write sessions.in(trx) within db.transaction().execute(async (trx) => …).',
    outlives: ({ isCommitted }) => isCommitted === undefined,
    ask: (trx, sql, parameters) =>
      trx.executeQuery({
        sql,
        parameters,
        query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
        queryId: { queryId: 'pg-sessions' },
      }),
  }),
  known<{
    isTransaction?: boolean
    isCompleted?(): boolean
    raw(sql: string, bindings: Values): Rows
  }>(['raw', 'schema', 'transaction'], {
    problem: (trx) =>
      trx.isTransaction === true && trx.isCompleted?.() === false
        ? undefined
        : 'This Knex is not in an open transaction. Write sessions.in(trx) within knex.transaction(async (trx) => …).',
    ask(trx, text, values) {
      const { sql, bindings } = withQuestionMarks(text, values)
      return trx.raw(sql, bindings)
    },
  }),
  known<{ $queryRawUnsafe(sql: string, ...values: Values): Rows }>(['$queryRawUnsafe'], {
    problem: (client) =>
      typeof Object(client).$connect === 'function'
        ? 'It is a client of Prisma. Write sessions.in(tx) within prisma.$transaction(async (tx) => …).'
        : undefined,
    outlives: () => true,
    ask: (tx, text, values) => tx.$queryRawUnsafe(text, ...values),
  }),
  known(
    ['createQueryRunner', 'entityMetadatas'],
    never(
      'It is a DataSource of TypeORM. Write sessions.in(manager) within dataSource.transaction(async (manager) => …).',
    ),
  ),
  known<CanQuery & { isTransactionActive: boolean }>(['isTransactionActive', 'query', 'manager'], {
    problem: ({ isTransactionActive }) =>
      isTransactionActive ? undefined : 'This QueryRunner of TypeORM is not in a transaction.',
    ask: (runner, text, values) => runner.query(text, values),
  }),
  known<{ queryRunner?: unknown }>(['getRepository', 'query', 'transaction'], {
    problem: ({ queryRunner }) =>
      queryRunner === undefined
        ? 'This EntityManager of TypeORM is not in a transaction. Write sessions.in(manager) within dataSource.transaction(async (manager) => …).'
        : undefined,
    inner: ({ queryRunner }) => queryRunner,
  }),
  known<{ getTransactionContext(): unknown }>(['isInTransaction', 'getTransactionContext'], {
    problem: (em) =>
      em.getTransactionContext() === undefined
        ? 'This EntityManager of MikroORM is not in a transaction. Write sessions.in(em) within em.transactional(async (em) => …).'
        : undefined,
    inner: (em) => em.getTransactionContext(),
  }),
  known<{
    ctx: { inTransaction?: boolean }
    query(query: { text: string; values: Values }): Rows
  }>(['ctx', 'batch', 'oneOrNone'], {
    problem: ({ ctx }) =>
      ctx.inTransaction === true
        ? undefined
        : 'This task of pg-promise is not in a transaction. Write sessions.in(t) within db.tx(async (t) => …).',
    ask: (t, text, values) => t.query({ text, values }),
  }),
  known(
    ['$pool', '$config'],
    never('It is a database of pg-promise. Write sessions.in(t) within db.tx(async (t) => …).'),
  ),
  known<{ unsafe(text: string, values: Values): Rows }>(['unsafe', 'savepoint'], {
    outlives: () => true,
    ask: (sql, text, values) => sql.unsafe(text, values),
  }),
  known(
    ['unsafe', 'begin', 'end'],
    never(
      'It is a client outside a transaction. Write sessions.in(sql) within sql.begin(async (sql) => …).',
    ),
  ),
  known<{ unsafe(text: string, values: Values): Rows }>(['unsafe', 'release'], {
    outlives: () => true,
    ask: (sql, text, values) => sql.unsafe(text, values),
  }),
  known(
    ['execProtocol', 'transaction'],
    never(
      'It is a database of PGlite. Write sessions.in(tx) within db.transaction(async (tx) => …).',
    ),
  ),
  known<CanQuery & { closed?: boolean }>(['exec', 'rollback', 'query'], {
    problem: ({ closed }) =>
      closed === true ? 'This transaction of PGlite has ended.' : undefined,
    ask: (tx, text, values) => tx.query(text, values),
  }),
  known(
    ['totalCount', 'idleCount', 'connect'],
    never(
      'It is a pool. Write const client = await pool.connect(), then begin, and sessions.in(client).',
    ),
  ),
  known<{
    query(query: { text: string; values: Values; types: object }): Rows
    getTransactionStatus?(): string | null
  }>(['connectionParameters', 'query'], {
    problem: (client) => {
      const status = client.getTransactionStatus?.()
      if (status === null) return 'This client is not connected. Await client.connect() first.'
      return status === 'I'
        ? "This client is not in a transaction, so the sessions would end at once. Run client.query('begin') first."
        : undefined
    },
    outlives: ({ getTransactionStatus }) => getTransactionStatus === undefined,
    ask: (client, text, values) => client.query({ text, values, types }),
  }),
]

/** Knex has question marks, one for each time that a value is used. No text of ours has one of its own. */
function withQuestionMarks(text: string, values: Values): { sql: string; bindings: Values } {
  const bindings: Values = []
  const sql = text.replaceAll(/\$(\d+)/g, (_, position: string) => {
    bindings.push(values[Number(position) - 1] ?? null)
    return '?'
  })
  return { sql, bindings }
}
