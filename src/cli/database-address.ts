import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { ConfigurationError } from '../errors.ts'
import { type TlsSettings, tlsFromEnvironment } from './tls-from-environment.ts'

/** Where the database is, and who said so. */
export interface DatabaseAddress {
  /** What a `pg.Pool` takes. It holds the password, so it is never shown. */
  readonly connection: {
    readonly connectionString?: string
    readonly host?: string
    readonly port?: number
    readonly user?: string
    readonly database?: string
    readonly ssl?: TlsSettings
  }
  /** For messages, without the user and the password: `db.example:5432/shop`. */
  readonly shown: string
  readonly host: string
  readonly user: string
  readonly database: string
  /** What to correct: `DATABASE_URL`. */
  readonly source: string
  /** Milliseconds that `PGCONNECT_TIMEOUT` grants. */
  readonly timeout?: number
  /** TLS is tried, and does without when the server has none: `PGSSLMODE=prefer`. */
  readonly isTlsOptional?: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/** The variables of libpq that name a server or a database. */
const NAMING = ['PGHOST', 'PGHOSTADDR', 'PGPORT', 'PGDATABASE', 'PGUSER'] as const

/** Where libpq looks for a socket when no host is named. */
const SOCKET_FOLDERS = ['/var/run/postgresql', '/tmp']

/**
 * Finds the database: `--database-url`, then `DATABASE_URL`, then libpq's variables.
 *
 * @throws {ConfigurationError} If none names a database, or one is not readable. The message repeats no
 *   part of a connection string, which may hold a password.
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
export function findDatabase(
  option: string | undefined,
  environment: Environment,
): DatabaseAddress {
  const { DATABASE_URL } = environment
  if (option !== undefined) return fromUrl(option, '--database-url', environment)
  if (DATABASE_URL) return fromUrl(DATABASE_URL, 'DATABASE_URL', environment)
  if (environment.PGSERVICE) {
    throw new ConfigurationError(
      'PGSERVICE is not supported. Set DATABASE_URL, or PGHOST, PGPORT, PGDATABASE and PGUSER.',
    )
  }
  if (NAMING.some((name) => environment[name])) return fromVariables(environment)
  throw new ConfigurationError(
    'No database is named. Set DATABASE_URL or PGHOST and PGDATABASE, or write --database-url=postgres://user:password@host:port/database.',
  )
}

function fromUrl(text: string, source: string, environment: Environment): DatabaseAddress {
  const form = 'postgres://user:password@host:port/database'
  if (!/^postgres(ql)?:\/\//.test(text)) {
    throw new ConfigurationError(`${source} is not a PostgreSQL connection string. Write ${form}.`)
  }
  // A password with one of these would be cut there, and its rest taken for a host or a database.
  const isCut = /^\w+:\/\/[^/?#]*[/?#].*@/s.test(text) || text.includes('#')
  if (isCut || !URL.canParse(text) || !isDecodable(text)) {
    throw new ConfigurationError(
      `${source} cannot be read. Encode special characters of the password: # is %23, / is %2F, ? is %3F, @ is %40, % is %25.`,
    )
  }
  const url = new URL(text)
  const named = {
    host: url.searchParams.get('host') ?? (decode(url.hostname) || environment.PGHOST),
    port: url.port || url.searchParams.get('port') || environment.PGPORT,
    user: decode(url.username) || environment.PGUSER,
    database: decode(url.pathname.slice(1)) || environment.PGDATABASE,
  }
  return { ...place(named), connection: { connectionString: text }, source }
}

function fromVariables(environment: Environment): DatabaseAddress {
  const { PGHOST, PGHOSTADDR, PGPORT, PGUSER, PGDATABASE, PGCONNECT_TIMEOUT } = environment
  const host = PGHOSTADDR || PGHOST || socketFolder(PGPORT || '5432')
  const { shown, user, database } = place({
    host,
    port: PGPORT,
    user: PGUSER,
    database: PGDATABASE,
  })
  const port = Number(PGPORT || 5432)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new ConfigurationError('PGPORT must be a whole number from 1 to 65535.')
  }
  const { ssl, isOptional } = tlsFromEnvironment(environment, PGHOST)
  const seconds = Number(PGCONNECT_TIMEOUT || Number.NaN)
  return {
    connection: { host, port, user, database, ssl: host.startsWith('/') ? false : ssl },
    shown,
    host,
    user,
    database,
    source: 'PGHOST and the other PG variables',
    isTlsOptional: isOptional,
    ...(seconds > 0 ? { timeout: seconds * 1000 } : {}),
  }
}

function place(named: {
  readonly host: string | undefined
  readonly port: string | undefined
  readonly user: string | undefined
  readonly database: string | undefined
}): Pick<DatabaseAddress, 'shown' | 'host' | 'user' | 'database'> {
  const host = named.host || 'localhost'
  const user = named.user || userInfo().username
  const database = named.database || user
  return { shown: `${host}:${named.port || '5432'}/${database}`, host, user, database }
}

function socketFolder(port: string): string {
  const folder = SOCKET_FOLDERS.find((each) => existsSync(`${each}/.s.PGSQL.${port}`))
  return folder ?? 'localhost'
}

function isDecodable(text: string): boolean {
  try {
    decode(text)
    return true
  } catch {
    return false
  }
}

function decode(text: string): string {
  return decodeURIComponent(text)
}
