import { processWide } from '../../process-wide.ts'
import { OwnConnections } from '../waiting/own-connections.ts'
import type { PostgresJsLike } from './client.ts'
import { PostgresJsConnection } from './connection.ts'

/** The application has ended the client that the driver was made of. */
export class ClientEndedError extends Error {
  readonly code: string = 'CONNECTION_ENDED'

  constructor() {
    super('The client of postgres.js given to fromPostgresJs has been ended')
  }

  override get name(): string {
    return 'ClientEndedError'
  }
}

/** Milliseconds after which an idle connection is closed, where the client has no `idle_timeout`. */
const IDLE = 60_000

type Connections = OwnConnections<PostgresJsConnection>

const known = processWide('postgres-js', () => new WeakMap<PostgresJsLike, Connections>())

/** The connections beside a client, the same for all drivers that are made of it. They end with it. */
export function connectionsBeside(sql: PostgresJsLike): Connections {
  const connections = known.get(sql) ?? makeConnections(sql)
  known.set(sql, connections)
  return connections
}

function makeConnections(sql: PostgresJsLike): Connections {
  const { options, end } = sql
  const connections: Connections = new OwnConnections({
    max: options.max ?? 10,
    idleFor: options.idle_timeout ? options.idle_timeout * 1000 : IDLE,
    make: (onDeath) => new PostgresJsConnection(options, onDeath),
    ended: () => new ClientEndedError(),
  })
  sql.end = async (given) => {
    await Promise.all([end.call(sql, given), connections.end(given?.timeout)])
  }
  return connections
}
