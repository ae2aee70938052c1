import { Pool } from 'pg'
import { createSessions, type Session, type Sessions } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { withSession } from 'pg-sessions/fetch'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'

/** A Worker of Cloudflare's, as docs/recipes/serverless.md has it. */

interface Environment {
  readonly DATABASE_URL: string
}

interface Context {
  waitUntil(work: Promise<unknown>): void
}

interface Data {
  visits: number
}

interface Client {
  readonly driver: Driver
  end(): Promise<unknown>
}

const clients: Readonly<Record<string, (url: string) => Client>> = {
  pg(url) {
    const pool = new Pool({ connectionString: url, max: 1 })
    return { driver: fromPg(pool), end: () => pool.end() }
  },
  'postgres-js'(url) {
    const sql = postgres(url, { max: 1, fetch_types: false })
    return { driver: fromPostgresJs(sql), end: () => sql.end() }
  },
}

/** What another request has made, which none may use. */
const shared = new Map<string, Sessions<Data>>()

export default {
  async fetch(
    request: Request,
    { DATABASE_URL }: Environment,
    context: Context,
  ): Promise<Response> {
    const [, pattern, client = '', page = ''] = new URL(request.url).pathname.split('/')
    const open = clients[client]
    if (open === undefined) return new Response('no such client', { status: 404 })
    if (pattern === 'shared') {
      const sessions = shared.get(client) ?? sessionsOf(open(DATABASE_URL).driver)
      shared.set(client, sessions)
      return answer(sessions, request, page)
    }
    const { driver, end } = open(DATABASE_URL)
    const sessions = sessionsOf(driver)
    try {
      return await answer(sessions, request, page)
    } finally {
      context.waitUntil(sessions.close().then(end))
    }
  },
}

function sessionsOf(database: Driver): Sessions<Data> {
  return createSessions<Data>({
    database,
    migrate: 'off',
    touchInterval: '1s',
    cookie: { development: true },
    log: false,
  })
}

function answer(sessions: Sessions<Data>, request: Request, page: string): Promise<Response> {
  const handler = withSession(sessions, (_request, session) => show(session, page), {
    onError: (error) => Response.json({ error: String(error) }, { status: 500 }),
  })
  return handler(request)
}

async function show(session: Session<Data>, page: string): Promise<Response> {
  if (page === 'visit') await session.update('visits', (visits = 0) => visits + 1)
  else if (page === 'sign-out') await session.signOut()
  else if (page !== 'read') await session.signIn(page)
  await session.load()
  return Response.json({ user: session.userId, visits: (await session.get('visits')) ?? 0 })
}
