import { adviceForClient, whatWasGiven } from '../../options/known-clients.ts'
import { flag } from '../../options/option.ts'
import { readOptions } from '../../options/read-options.ts'
import type { Connection, Driver, Row, Statement } from '../../postgres/driver.ts'
import { processWide } from '../../process-wide.ts'
import { describeServer } from '../failures/connection-failure.ts'
import { countdown, within } from '../waiting/deadline.ts'
import { TransactionOpenError } from '../waiting/transaction-open.ts'
import { Turns } from '../waiting/turns.ts'
import { ConnectionSpoiltError, checkedRows } from '../waiting/wrong-answer.ts'
import { ask, type PgClientLike, type PgOptions, run } from './client.ts'
import { EncodingChangedError, isGarbling } from './client-encoding.ts'
import { explainPgErrors } from './failures.ts'
import { followClient, isInTransaction } from './pool.ts'
import { isLostStatement, prepareAgain } from './statement-names.ts'

/** The client's connection is gone, and a single client does not make another. */
export class ConnectionEndedError extends Error {
  readonly code: string = 'ENOTCONN'

  constructor() {
    super(
      'The client given to fromPgClient has lost its connection. Connect a new client and create the sessions again, or give fromPg a Pool, which reconnects by itself.',
    )
  }

  override get name(): string {
    return 'ConnectionEndedError'
  }
}

/** The client was never connected. */
export class NotConnectedError extends Error {
  readonly code: string = 'ENOTCONN'

  constructor() {
    super(
      'The client given to fromPgClient is not connected: write `await client.connect()` before its first use',
    )
  }

  override get name(): string {
    return 'NotConnectedError'
  }
}

/** Private to `pg`, and absent in other clients. */
type PgClientState = { readonly _connected?: unknown; readonly _connecting?: unknown }

function transactionOpen(code?: 'ECONNABORTED'): TransactionOpenError {
  const advice = 'give the sessions a client of their own'
  return new TransactionOpenError('the client given to fromPgClient', advice, code)
}

/** What all drivers of one client share. */
interface SharedConnection {
  readonly turns: Turns
  /** Why no statement is sent any more. */
  death: Error | undefined
}

const connections = processWide(
  'single-connection',
  () => new WeakMap<PgClientLike, SharedConnection>(),
)

/**
 * Makes a driver of one connected `pg.Client`, for scripts and tests.
 *
 * Statements run one after another, and none comes between the statements of a `withConnection`;
 * that holds for all drivers made of the same client together, but not for what else the
 * application does with it. A statement that times out is given up by its caller, and the next one
 * starts once the server has answered it. The client is never closed. When its connection dies, no
 * call succeeds any more, and each says so at once; a `Pool` reconnects instead.
 *
 * @throws {TypeError} It was given an address, a pool, or anything else in the place of a client.
 * @example
 * ```ts
 * import { Client } from 'pg'
 * import { createSessions } from 'pg-sessions'
 * import { fromPgClient } from 'pg-sessions/pg'
 *
 * const client = new Client({ connectionString: process.env['DATABASE_URL'] })
 * await client.connect()
 * const sessions = createSessions({ database: fromPgClient(client) })
 * ```
 */
export function fromPgClient(client: PgClientLike, options: PgOptions = {}): Driver {
  refuseOtherThanClient(client)
  const { prepare } = readOptions('fromPgClient', { prepare: flag(true) }, options)
  const connection = connectionOf(client)
  const { host, port, database } = client
  return {
    name: 'pg',
    explain: explainPgErrors(() => describeServer(host, port, database)),
    async query(statement, { timeout, check, prepare: named = prepare }) {
      const left = countdown(timeout)
      const endTurn = await takeTurn(connection, timeout)
      // The turn outlasts a caller who stops waiting: the connection is busy until it answers.
      const answer = askAgainIfLost(client, statement, named)
        .then((rows) => checkedRows(rows, check, () => distrust(connection)))
        .finally(endTurn)
      return within(left(), 'read', answer)
    },
    async withConnection(use, { timeout } = {}) {
      const left = countdown(timeout ?? Number.POSITIVE_INFINITY)
      const endTurn = await takeTurn(connection, timeout)
      try {
        refuseSpoilt(client)
        // A `begin` that the application has sent and not awaited shows only once it is answered.
        await within(left(), 'connect', run(client, 'select'))
        refuseSpoilt(client)
      } catch (error) {
        endTurn()
        throw error
      }
      let latest: Promise<unknown> = Promise.resolve()
      const send = async <Answer>(begin: () => Promise<Answer>): Promise<Answer> => {
        if (connection.death) throw connection.death
        const answer = begin()
        latest = answer
        return await answer
      }
      const lent: Connection = {
        query: (
          statement,
          { timeout, check, prepare: named = prepare },
        ): Promise<readonly Row[]> => {
          const answer = send(() =>
            ask(client, statement, { prepare: named }).then((rows) =>
              checkedRows(rows, check, () => distrust(connection)),
            ),
          )
          return within(timeout, 'read', answer)
        },
        run: (sql) => send(() => run(client, sql)),
      }
      let clean: Promise<unknown> = Promise.resolve()
      try {
        return await use(lent)
      } catch (error) {
        clean = rollBack(client, latest)
        throw error
      } finally {
        void clean.then(endTurn)
      }
    },
  }
}

/** Also after other code on the client has discarded its prepared statements. */
async function askAgainIfLost(
  client: PgClientLike,
  statement: Statement,
  prepare: boolean,
): Promise<readonly Row[]> {
  refuseSpoilt(client)
  try {
    return committed(client, await ask(client, statement, { prepare }))
  } catch (error) {
    if (!isLostStatement(error) || !prepareAgain(client, Number.POSITIVE_INFINITY)) throw error
    return committed(client, await ask(client, statement, { prepare }))
  }
}

/** Refuses a connection in a state in which the application has left it. Nothing is sent then. */
function refuseSpoilt(client: PgClientLike): void {
  // A client of pg queues what it is given before it connects, for as long as that takes.
  const { _connected: isConnected, _connecting: isConnecting } = client as PgClientState
  if (isConnected === false && isConnecting === false) throw new NotConnectedError()
  if (isGarbling(client)) throw new EncodingChangedError()
  if (isInTransaction(client)) throw transactionOpen()
}

/** The rows of a statement that no rollback of the application can undo. */
function committed(client: PgClientLike, rows: readonly Row[]): readonly Row[] {
  if (isInTransaction(client)) throw transactionOpen('ECONNABORTED')
  return rows
}

/** A pool's statements would run on any of its connections, and turns mean nothing to them. */
function refuseOtherThanClient(client: PgClientLike): void {
  const isPool = 'totalCount' in Object(client)
  const isClient =
    typeof Object(client).query === 'function' && 'connectionParameters' in Object(client)
  const advice = adviceForClient(client)
  const isOther = advice !== undefined && !isClient
  if (typeof Object(client).query === 'function' && !isPool && !isOther) return
  throw new TypeError(
    isPool
      ? 'fromPgClient needs a Client and was given a Pool. Write fromPg(pool).'
      : `fromPgClient needs a connected Client of the package pg. ${advice ?? `${whatWasGiven(client)} Write const client = new Client({ connectionString }), then await client.connect().`}`,
  )
}

function connectionOf(client: PgClientLike): SharedConnection {
  const known = connections.get(client)
  if (known) return known
  const connection: SharedConnection = { turns: new Turns(), death: undefined }
  followClient(client)
  connections.set(client, connection)
  const end = (): void => {
    connection.death ??= new ConnectionEndedError()
  }
  client.on('error', end)
  client.on('end', end)
  return connection
}

async function takeTurn(connection: SharedConnection, timeout?: number): Promise<() => void> {
  if (connection.death) throw connection.death
  const endTurn = await connection.turns.take(timeout)
  if (!connection.death) return endTurn
  endTurn()
  throw connection.death
}

function distrust(connection: SharedConnection): void {
  connection.death ??= new ConnectionSpoiltError(
    'Connect a new client and create the sessions again, or give fromPg a Pool, which replaces its connections by itself.',
  )
}

/** Undoes what is open once the connection is free. On a dead one there is nothing to undo. */
async function rollBack(client: PgClientLike, latest: Promise<unknown>): Promise<void> {
  try {
    await latest.catch(() => {})
    await run(client, 'rollback')
  } catch {}
}
