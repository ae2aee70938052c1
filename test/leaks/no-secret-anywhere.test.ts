import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import express from 'express'
import pg from 'pg'
import { createSessions, type Logger, PostgresStore, randomToken, type Sessions } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { fromPg } from 'pg-sessions/pg'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { type OwnServer, startOwnServer } from '../support/own-server.ts'
import { bytesNeedle, find, type Needle, secretNeedle, textNeedle } from './needles.ts'

/*
 * A day in the life of an application, faults included, with everything written down that anybody ever
 * gets to see: log lines, errors, events, inspected objects, the command line's words, the rows of every
 * table, the server's own log with every statement and parameter, and the server's files.
 */

const VALUE = 'canary-of-a-value'
const POISON = 'canary-that-the-server-refuses'
const FORGED = 'canary-of-a-forger'
const FORGED_SECRET = 'canary-secret-of-a-forger-0123456789'
const PEPPER = 'canary-of-a-pepper, 32 characters and more'

/** Every secret that was ever made, whether or not a cookie carried it. */
const secrets: string[] = []
/** What reached logs, errors, events and inspected objects. */
const seen: string[] = []
const cookies: string[] = []

let server: OwnServer
let proxy: FaultProxy
let rows = ''
/** From here on only the application gives the server anything to write. */
let begin = 0

beforeAll(async () => {
  server = await startOwnServer({
    log_statement: 'all',
    log_min_duration_statement: '0',
    log_parameter_max_length: '-1',
    log_parameter_max_length_on_error: '-1',
    log_error_verbosity: 'verbose',
    log_min_messages: 'debug1',
    wal_level: 'logical',
  })
  proxy = await startFaultProxy(server.url)
  begin = Date.now()
  const printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation((...words) => note(...words)),
  )
  await liveThrough()
  for (const spy of printed) spy.mockRestore()
  await askCommandLine()
  rows = await readAllRows()
  await proxy.close()
  // Now everything that is to be on the disk is there.
  await server.stop()
})
afterAll(() => server[Symbol.asyncDispose]())

/** Writes down all that can be made to show of a thing. */
function note(...things: unknown[]): void {
  for (const thing of things) {
    // An error has nothing that may not be shown; a session gives its data to who asks for it.
    const getters = thing instanceof Error
    seen.push(inspect(thing, { depth: null, showHidden: true, getters, maxStringLength: null }))
    seen.push(String(thing))
    if (thing instanceof Error) seen.push(thing.stack ?? '')
    try {
      seen.push(JSON.stringify(thing) ?? '')
    } catch {
      // Some things have circles.
    }
  }
}

const log: Logger = {
  debug: (...line) => note(...line),
  info: (...line) => note(...line),
  warn: (...line) => note(...line),
  error: (...line) => note(...line),
}

interface Shop extends AsyncDisposable {
  /** Asks for a page with a cookie, keeps what comes back, and gives the new cookie if there is one. */
  ask(path: string, cookie?: string): Promise<string>
  readonly sessions: Sessions
  readonly pool: pg.Pool
}

/** An application over HTTP that writes down all there is to see. */
async function openShop(pepper?: string): Promise<Shop> {
  const pool = new pg.Pool({ connectionString: proxy.url, max: 5 })
  const store = new PostgresStore({ driver: fromPg(pool), deadline: '500ms' })
  const sessions = createSessions({
    store,
    log,
    generateSecret() {
      const secret = randomToken(24)
      secrets.push(secret)
      return secret
    },
    ...(pepper === undefined ? {} : { pepper }),
  })
  for (const name of EVENTS) sessions.on(name, (event) => note(name, event))
  const app = express()
  const session = expressSessions(sessions)
  app.use(session)
  app.use('/:action/:value', async (request, response) => {
    const { action, value } = request.params
    const own = session.of(request)
    if (action === 'read') await own.get('note')
    if (action === 'set') own.set('note', value)
    if (action === 'sign-in') await own.signIn(value)
    if (action === 'rotate') own.rotate()
    if (action === 'clear') own.clear()
    if (action === 'destroy') own.destroy()
    if (action === 'update') await own.update('note', () => value)
    if (action === 'take') await own.take('note')
    if (action === 'date') own.set('note', { when: new Date(), value })
    if (action === 'throw') throw new RangeError('of the application')
    note(own, sessions, store, session.of(request))
    response.send('done')
  })
  const answerError: express.ErrorRequestHandler = (error, _request, response, _next) => {
    note(error)
    response.status(500).send('failed')
  }
  app.use(answerError)
  const listening = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => listening.once('listening', resolve))
  const { port } = listening.address() as AddressInfo
  return {
    sessions,
    pool,
    async ask(path, cookie) {
      const headers = cookie === undefined ? {} : { cookie: `__Host-id=${cookie}` }
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
      note(await response.text())
      const [setCookie] = response.headers.getSetCookie()
      const token = /^__Host-id=([^;]+);/.exec(setCookie ?? '')?.[1]
      if (token !== undefined) cookies.push(token)
      return token ?? cookie ?? ''
    },
    async [Symbol.asyncDispose]() {
      listening.closeAllConnections()
      await new Promise((resolve) => listening.close(resolve))
      await sessions.close()
      await pool.end()
    },
  }
}

const EVENTS = [
  'created',
  'rotated',
  'signedIn',
  'cleared',
  'destroyed',
  'expired',
  'purged',
  'decodeFailed',
  'tokenUnknown',
  'tokenRefused',
  'storeUnavailable',
] as const

async function liveThrough(): Promise<void> {
  await using plain = await openShop()
  await goodDay(plain)
  await badDay(plain)
  await using peppered = await openShop(PEPPER)
  await goodDay(peppered)
}

async function goodDay({ ask, sessions, pool }: Shop): Promise<void> {
  await sessions.ready()
  const guest = await ask(`/set/${VALUE}`)
  const ann = await ask('/sign-in/ann', guest)
  await ask(`/read/${VALUE}`, guest)
  await ask(`/update/${VALUE}-2`, ann)
  const rotated = await ask('/rotate/x', ann)
  const cleared = await ask('/clear/x', rotated)
  await ask('/destroy/x', await ask(`/set/${VALUE}`, cleared))
  const bob = await ask('/sign-in/bob')
  await ask('/take/x', await ask('/sign-in/carol', bob))
  await Promise.all(Array.from({ length: 10 }, () => ask(`/set/${VALUE}`)))
  note(await sessions.listByUser('carol'), await sessions.count())
  await sessions.destroyByUser('carol')
  const expired = await ask(`/set/${VALUE}`)
  await pool.query(`update sessions.session
    set expires_at = now() - interval '1 s', purge_at = now() - interval '1 s'
    where created_at = (select max(created_at) from sessions.session)`)
  await ask('/read/x', expired)
  await sessions.purge()
}

async function badDay({ ask, pool }: Shop): Promise<void> {
  const visitor = await ask(`/set/${VALUE}`)
  // What a forger sends, and values that cannot be.
  await ask('/read/x', FORGED)
  await ask('/read/x', `${visitor.slice(0, 22)}${FORGED_SECRET}`)
  await ask('/read/x', `${visitor}; __Host-id=${FORGED}`)
  await ask(`/date/${VALUE}`, visitor)
  await ask('/throw/x', visitor)
  // The server refuses a value, and says in detail which.
  await pool.query(`alter table sessions.session_data add constraint no_poison
    check (position('${POISON}'::bytea in value) = 0) not valid`)
  await ask(`/set/${POISON}`, visitor)
  await ask(`/set/${POISON}`)
  await Promise.all(['a', POISON, 'b'].map((value) => ask(`/set/${value}`)))
  await pool.query('alter table sessions.session_data drop constraint no_poison')
  // A row is locked for too long; an answer gets lost; the server does not answer; no server is there.
  const client = await pool.connect()
  await client.query('begin; lock table sessions.session in exclusive mode')
  await ask(`/set/${VALUE}`, visitor)
  await ask('/sign-in/ann', visitor)
  await client.query('rollback')
  client.release()
  void proxy.cutBefore(({ from, type }) => from === 'server' && type === 'C')
  await ask('/rotate/x', visitor)
  const other = await ask(`/set/${VALUE}`)
  await proxy.blackHole()
  await Promise.all([ask('/read/x', other), ask(`/set/${VALUE}`)])
  await proxy.refuse()
  await Promise.all([ask('/read/x', other), ask('/sign-in/ann', other)])
  await proxy.pass()
  // Tables that are missing, and an entry that does not decode.
  await pool.query('alter table sessions.session rename to away')
  await Promise.all([ask('/read/x', other), ask(`/set/${VALUE}`)])
  await pool.query('alter table sessions.away rename to session')
  await pool.query(`update sessions.session_data set value = '{${VALUE}'`)
  await ask('/read/x', other)
  // Another user's password.
  const url = new URL(proxy.url)
  url.username = 'nobody'
  const wrong = new pg.Pool({ connectionString: url.href })
  const store = new PostgresStore({ driver: fromPg(wrong) })
  await store.count().catch(note)
  note(store, createSessions({ store, log, pepper: PEPPER }))
  await wrong.end()
}

async function askCommandLine(): Promise<void> {
  const stranger = new URL(server.url)
  stranger.username = 'nobody'
  const calls = [
    { args: ['status', '--json'], databaseUrl: server.url },
    { args: ['list', '--user', 'ann'], databaseUrl: server.url },
    { args: ['purge'], databaseUrl: stranger.href },
  ]
  const outcomes = calls.map(({ args, databaseUrl }) => runCli(args, { databaseUrl }))
  for (const { stdout, stderr } of await Promise.all(outcomes)) seen.push(stdout, stderr)
}

/** Every row of every table that is not PostgreSQL's own, as text. */
async function readAllRows(): Promise<string> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const tables = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  )
  const texts: string[] = []
  for (const { name } of tables.rows) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} as t`)
    texts.push(...rows.map(({ row }) => row))
  }
  await client.end()
  return texts.join('\n')
}

/** What the server has written: tables, indexes, the write-ahead log, statistics. */
async function readServerFiles(): Promise<Buffer[]> {
  const written: Buffer[] = []
  const files = await readdir(server.dataDirectory, { recursive: true, withFileTypes: true })
  for (const file of files) {
    const path = join(file.parentPath, file.name)
    if (!file.isFile() || file.name === 'password' || path === server.logFile) continue
    if ((await stat(path)).mtimeMs >= begin) written.push(await readFile(path))
  }
  return written
}

function secretNeedles(): Needle[] {
  return [
    ...secrets.map((secret, n) => secretNeedle(`secret ${n}`, secret)),
    ...cookies.map((token, n) => textNeedle(`token ${n}`, token)),
    textNeedle('the forged cookie', FORGED),
    secretNeedle('the forged secret', FORGED_SECRET),
    textNeedle('the pepper', PEPPER),
  ]
}

/** What the database may hold, but no other party may see. */
function privateNeedles(): Needle[] {
  const sha256 = (secret: string) => createHash('sha256').update(secret).digest()
  return [
    ...secrets.map((secret, n) => bytesNeedle(`hash ${n}`, sha256(secret))),
    textNeedle('a value', VALUE),
    textNeedle('a refused value', POISON),
    textNeedle('the password', new URL(server.url).password),
  ]
}

test('the day was long: sign-ins, tokens, errors of every kind', () => {
  expect(cookies.length).toBeGreaterThan(30)
  expect(secrets.length).toBeGreaterThan(cookies.length)
  const codes = ['ERR_STORE', 'ERR_STORE_UNAVAILABLE', 'ERR_SCHEMA_MISSING', 'ERR_INVALID_VALUE']
  const words = [...codes, ...EVENTS, '23514', '28P01', 'of the application']
  const everything = seen.join('\n')
  expect(words.filter((word) => !everything.includes(word))).toEqual([])
})

describe('no token, and no secret of one, is', () => {
  test('in a log line, an error, an event, an inspected object or the command line’s words', () => {
    expect(find(secretNeedles(), seen.join('\n'))).toEqual([])
  })

  test('in a row of any table', () => {
    expect(find([textNeedle('a value', VALUE)], rows)).toEqual(['a value'])
    expect(find(secretNeedles(), rows)).toEqual([])
  })

  test('in the server’s log of all statements and parameters', async () => {
    const text = await readFile(server.logFile)
    expect(find([textNeedle('a value', VALUE)], text)).toEqual(['a value'])
    expect(find(secretNeedles(), text)).toEqual([])
  })

  test('in the server’s files, its write-ahead log included', async () => {
    const files = await readServerFiles()
    const value = [textNeedle('a value', VALUE)]
    expect(files.filter((file) => find(value, file).length > 0).length).toBeGreaterThan(1)
    for (const file of files) expect(find(secretNeedles(), file)).toEqual([])
  })
})

test('no hash, value or password is in what an application shows', () => {
  expect(find(privateNeedles(), seen.join('\n'))).toEqual([])
})
