import { isPromise } from './is-promise.ts'

/**
 * Recognizes database clients and ORMs by their shape, and says the line to write for each.
 *
 * @returns Undefined for anything else. It reads no setting, so it can show no password.
 */
export function adviceForClient(value: unknown): string | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  return KNOWN.find(({ has }) => has.every((name) => name in value))?.advice
}

/** Says what stands in the place of a client: one that `adviceForClient` knows, or a common slip. Shows no value. */
export function whatWasGiven(value: unknown): string {
  const known = adviceForClient(value)
  if (known !== undefined) return known
  if (value === undefined || value === null) {
    return `It is ${value}: check that it is exported, and assigned before this line runs.`
  }
  if (typeof value === 'string') return 'It is a string.'
  if (isPromise(value)) return 'It is a promise: await it first.'
  if (typeof value !== 'function') return `It is another ${typeof value}.`
  return /^class\b/.test(Function.prototype.toString.call(value))
    ? `It is the class ${value.name}: make an instance with new.`
    : 'It is a function: call it.'
}

interface KnownClient {
  /** Properties that together tell it from all others. */
  readonly has: readonly string[]
  readonly advice: string
}

const NOT_POSTGRES =
  'It is not a database of PostgreSQL. Sessions are kept in PostgreSQL: fromPg(new Pool({ connectionString })) of pg-sessions/pg.'

const OWN_POOL =
  'Make a pool of pg for the sessions: fromPg(new Pool({ connectionString, max: 5 })) of pg-sessions/pg.'

/** Those that wrap another client come first. */
const KNOWN: readonly KnownClient[] = [
  {
    has: ['$client', '$with'],
    advice:
      'It is a database of Drizzle. Write fromPg(db.$client) of pg-sessions/pg, or fromPostgresJs(db.$client) of pg-sessions/postgres-js on postgres.js.',
  },
  {
    has: ['$queryRaw', '$connect'],
    advice: `It is a client of Prisma. Write fromPg(pool) with the pool that you passed to PrismaPg. Without one: ${OWN_POOL}`,
  },
  {
    has: ['selectFrom', 'getExecutor'],
    advice:
      'It is an instance of Kysely. Write fromPg(pool) of pg-sessions/pg, with the pool that you passed to PostgresDialect.',
  },
  {
    has: ['$pool', '$config'],
    advice: 'It is a database of pg-promise. Write fromPg(db.$pool) of pg-sessions/pg.',
  },
  {
    has: ['raw', 'schema', 'transactionProvider'],
    advice: 'It is an instance of Knex. Write fromPg(knexPool(knex)), both of pg-sessions/pg.',
  },
  {
    has: ['createQueryRunner', 'entityMetadatas'],
    advice:
      'It is a DataSource of TypeORM. Write fromPg(dataSource.driver.master) of pg-sessions/pg, after dataSource.initialize().',
  },
  {
    has: ['connectionManager', 'getQueryInterface'],
    advice:
      'It is an instance of Sequelize. Write fromPg(sequelizePool(sequelize)), both of pg-sessions/pg.',
  },
  {
    has: ['maybeOne', 'oneFirst'],
    advice: `It is a pool of Slonik, which lends no client of pg. ${OWN_POOL}`,
  },
  {
    has: ['sendCommand', 'connect'],
    advice: `It is a client of Redis. ${NOT_POSTGRES} To move sessions over, run npx pg-sessions import redis.`,
  },
  {
    has: ['startSession', 'connect'],
    advice: `It is a client of MongoDB. ${NOT_POSTGRES}`,
  },
  {
    has: ['getConnection', 'query'],
    advice: `It is a pool of MySQL. ${NOT_POSTGRES}`,
  },
  {
    has: ['changeUser', 'query'],
    advice: `It is a connection of MySQL. ${NOT_POSTGRES}`,
  },
  {
    has: ['prepare', 'exec', 'pragma'],
    advice: `It is a database of SQLite. ${NOT_POSTGRES}`,
  },
  {
    has: ['rpc', 'from', 'auth'],
    advice:
      "It is a client of Supabase, which speaks HTTP. Pass the project's connection string to a pool of pg: fromPg(new Pool({ connectionString })) of pg-sessions/pg.",
  },
  {
    has: ['reserve', 'unsafe', 'beginDistributed'],
    advice: "It is a client of Bun's SQL. Write fromBunSql(sql) of pg-sessions/bun-sql.",
  },
  {
    has: ['reserve', 'unsafe', 'listen'],
    advice: 'It is a client of postgres.js. Write fromPostgresJs(sql) of pg-sessions/postgres-js.',
  },
  {
    has: ['execProtocol', 'transaction'],
    advice: 'It is a database of PGlite. Write fromPglite(db) of pg-sessions/pglite.',
  },
  {
    has: ['query', 'unsafe', 'transaction'],
    advice: "It is Neon's HTTP function. Write fromNeon(sql) of pg-sessions/neon.",
  },
  {
    has: ['totalCount', 'idleCount', 'connect'],
    advice: 'It is a pool of pg. Write fromPg(pool) of pg-sessions/pg.',
  },
  {
    has: ['connectionParameters', 'query'],
    advice:
      'It is a client of pg. Write fromPg(pool) with a Pool, or fromPgClient(client) for a script.',
  },
]
