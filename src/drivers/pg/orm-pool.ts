import type { PgListeningClientLike } from './listen.ts'
import type { PgPoolClientLike, PgPoolLike } from './pool.ts'

/** What `knexPool` needs of an instance of Knex. */
export interface KnexLike {
  readonly client: {
    acquireConnection(): PromiseLike<unknown>
    releaseConnection(connection: unknown): PromiseLike<unknown>
    readonly driver?: unknown
    readonly connectionSettings?: object
    readonly pool?: unknown
  }
}

/** What `sequelizePool` needs of an instance of Sequelize 6. */
export interface SequelizeLike {
  readonly connectionManager: {
    getConnection(options: object): PromiseLike<unknown>
    releaseConnection(connection: never): unknown
  }
}

/**
 * Reaches the connections of an instance of Knex, so that the sessions share them: `fromPg(knexPool(knex))`.
 *
 * @throws {TypeError} If it is not an instance of Knex on `pg`.
 * @example
 * ```ts
 * import knex from 'knex'
 * import { createSessions } from 'pg-sessions'
 * import { fromPg, knexPool } from 'pg-sessions/pg'
 *
 * const db = knex({ client: 'pg', connection: process.env['DATABASE_URL'] ?? '' })
 * const sessions = createSessions({ database: fromPg(knexPool(db)) })
 * ```
 */
export function knexPool(knex: KnexLike): PgPoolLike {
  const { client } = Object(knex) as Partial<KnexLike>
  if (typeof client?.acquireConnection !== 'function' || clientClass(client.driver) === undefined) {
    throw new TypeError("knexPool needs an instance of Knex: knex({ client: 'pg', connection }).")
  }
  return poolOnce(client, {
    max: Number(Object(client.pool).max),
    Client: clientClass(client.driver),
    settings: client.connectionSettings,
    acquire: () => client.acquireConnection(),
    release: (connection) => client.releaseConnection(connection),
    async destroy(connection) {
      // Knex discards such a connection when it would lend it again.
      Object.assign(connection, { __knex__disposed: 'discarded by pg-sessions' })
      await client.releaseConnection(connection)
      await connection.end()
    },
  })
}

/**
 * Reaches the connections of an instance of Sequelize 6 on `pg`, so that the sessions share them.
 *
 * @throws {TypeError} If it is not an instance of Sequelize for PostgreSQL.
 * @example
 * ```ts
 * import { createSessions } from 'pg-sessions'
 * import { fromPg, sequelizePool } from 'pg-sessions/pg'
 * import { Sequelize } from 'sequelize'
 *
 * const sequelize = new Sequelize(process.env['DATABASE_URL'] ?? '')
 * const sessions = createSessions({ database: fromPg(sequelizePool(sequelize)) })
 * ```
 */
export function sequelizePool(sequelize: SequelizeLike): PgPoolLike {
  const { connectionManager: manager, config, options } = Object(sequelize) as SequelizeParts
  if (typeof manager?.getConnection !== 'function' || clientClass(manager.lib) === undefined) {
    throw new TypeError(
      "sequelizePool needs an instance of Sequelize 6 for PostgreSQL: new Sequelize('postgres://…').",
    )
  }
  const { host, port, username, password, database } = config
  return poolOnce(manager, {
    max: manager.pool.maxSize,
    Client: clientClass(manager.lib),
    settings: { host, port, user: username, password, database, ...options.dialectOptions },
    acquire: async () => {
      try {
        return await manager.getConnection({ type: 'write' })
      } catch (error) {
        // Sequelize wraps what `pg` says.
        throw Object(error).parent ?? error
      }
    },
    release: async (connection) => manager.releaseConnection(connection),
    destroy: (connection) => manager.pool.destroy(connection),
  })
}

interface SequelizeParts {
  readonly connectionManager?: {
    readonly lib: unknown
    readonly pool: { readonly maxSize: number; destroy(connection: object): PromiseLike<unknown> }
    getConnection(options: object): PromiseLike<unknown>
    releaseConnection(connection: object): unknown
  }
  readonly config: Readonly<Record<string, unknown>>
  readonly options: { readonly dialectOptions?: object }
}

type Connection = PgPoolClientLike & { end(): PromiseLike<unknown> }
type ClientClass = NonNullable<PgPoolLike['Client']>

interface OrmPool {
  readonly max: number
  readonly Client: ClientClass | undefined
  readonly settings: object | undefined
  acquire(): PromiseLike<unknown>
  release(connection: Connection): PromiseLike<unknown>
  destroy(connection: Connection): PromiseLike<unknown>
}

const pools = new WeakMap<object, PgPoolLike>()

/** All drivers of one ORM share a pool, which bounds how many calls wait for it. */
function poolOnce(owner: object, parts: OrmPool): PgPoolLike {
  const pool = pools.get(owner) ?? asPool(parts)
  pools.set(owner, pool)
  return pool
}

function asPool({ max, Client, settings, acquire, release, destroy }: OrmPool): PgPoolLike {
  const lend = async (): Promise<PgPoolClientLike> => {
    const connection = (await acquire()) as Connection
    connection.release = (isSpoilt = false): void => {
      const given = isSpoilt ? destroy(connection) : release(connection)
      // A connection that has died meanwhile is none that anyone waits for.
      given.then(undefined, () => {})
    }
    return connection
  }
  function connect(): Promise<PgPoolClientLike>
  function connect(callback: (error: Error | undefined, client?: PgPoolClientLike) => void): void
  function connect(callback?: (error: Error | undefined, client?: PgPoolClientLike) => void) {
    if (callback === undefined) return lend()
    lend().then(
      (client) => callback(undefined, client),
      (error: Error) => callback(error),
    )
    return undefined
  }
  return {
    connect,
    // The ORM hears the errors of its idle connections itself.
    on: () => undefined,
    options: optionsOf(settings ?? {}, max),
    ...(Client !== undefined && settings !== undefined && { Client }),
  }
}

/** A password stays hidden from those who enumerate. */
function optionsOf(settings: object, max: number): object {
  const { password } = settings as { password?: unknown }
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(settings),
      ...(Number.isFinite(max) && { max: { value: max, enumerable: true } }),
      password: { value: password, enumerable: false },
    },
  )
}

function clientClass(library: unknown): ClientClass | undefined {
  const { Client } = Object(library) as { Client?: new (options: object) => PgListeningClientLike }
  return typeof Client === 'function' ? Client : undefined
}
