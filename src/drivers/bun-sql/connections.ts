import { processWide } from '../../process-wide.ts'
import { OwnConnections } from '../waiting/own-connections.ts'
import type { BunSqlLike, BunSqlSettings } from './client.ts'
import { BunSqlConnection } from './connection.ts'

/** The application has ended the client that the driver was made of. */
export class ClientEndedError extends Error {
  readonly code: string = 'ERR_POSTGRES_CONNECTION_CLOSED'

  constructor() {
    super('The client of Bun given to fromBunSql has been closed')
  }

  override get name(): string {
    return 'ClientEndedError'
  }
}

/** Milliseconds after which an idle connection is closed, where the client has no `idleTimeout`. */
const IDLE = 60_000

type Connections = OwnConnections<BunSqlConnection>

const known = processWide('bun-sql', () => new WeakMap<BunSqlLike, Connections>())

/** The connections beside a client, the same for all drivers that are made of it. They end with it. */
export function connectionsBeside(sql: BunSqlLike): Connections {
  const connections = known.get(sql) ?? makeConnections(sql)
  known.set(sql, connections)
  return connections
}

function makeConnections(sql: BunSqlLike): Connections {
  const settings = sql.options as BunSqlSettings
  const connections: Connections = new OwnConnections({
    max: settings.max ?? 10,
    idleFor: settings.idleTimeout || IDLE,
    make: (onDeath) => new BunSqlConnection(settings, onDeath),
    ended: () => new ClientEndedError(),
  })
  for (const name of ['close', 'end'] as const) {
    const close = sql[name]
    sql[name] = async (options) => {
      await Promise.all([close.call(sql, options), connections.end(options?.timeout)])
    }
  }
  return connections
}
