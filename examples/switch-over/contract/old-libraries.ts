/** Applications as they were before: each signs users in with its own library, and keeps sessions in PostgreSQL. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { Auth, type AuthConfig } from '@auth/core'
import PostgresAdapter from '@auth/pg-adapter'
import { NodePostgresAdapter } from '@lucia-auth/adapter-postgresql'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { Lucia } from 'lucia'
import type { Pool } from 'pg'
import type { Driver } from 'pg-sessions/driver'
import {
  type FromTokenTableSettings,
  fromAuthjs,
  fromBetterAuth,
  fromLucia,
} from 'pg-sessions/import'
import { Browser } from './browser.ts'

/** An application's former library. */
export interface OldLibrary {
  /** The table that holds its sessions. */
  readonly table: string
  /** The column that names a row. */
  readonly key: string
  /** What `pg-sessions import` is told. */
  readonly importArgs: readonly string[]
  /** Signs a new user in, in a browser of their own. */
  signIn(): Promise<{ readonly browser: Browser; readonly userId: string }>
  /** Who is signed in, as the library itself says. */
  userOf(browser: Browser): Promise<string | null>
  settings(database: Driver): FromTokenTableSettings
}

const ORIGIN = 'https://shop.example'
/** Of a machine that does much else, since a load is what is tried, and no time. */
const deadline = '60s'
const secret = 'a secret of this test, long enough for each of them'

export async function openBetterAuth(pool: Pool): Promise<OldLibrary> {
  const options = {
    baseURL: ORIGIN,
    database: pool,
    secret,
    emailAndPassword: {
      enabled: true,
      password: { hash: async (text: string) => text, verify: async () => true },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  }
  const { runMigrations } = await getMigrations(options)
  await runMigrations()
  const { handler } = betterAuth(options)
  return {
    table: 'session',
    key: 'token',
    importArgs: ['better-auth'],
    async signIn() {
      const browser = new Browser()
      const email = `${randomUUID()}@example.com`
      const content = JSON.stringify({ email, password: 'correct horse', name: 'Ann' })
      const answer = await browser.ask(handler, `${ORIGIN}/api/auth/sign-up/email`, {
        type: 'application/json',
        content,
      })
      const { user } = (await answer.json()) as { user: { id: string } }
      return { browser, userId: user.id }
    },
    async userOf(browser) {
      const answer = await browser.copy().ask(handler, `${ORIGIN}/api/auth/get-session`)
      const session = (await answer.json()) as { user: { id: string } } | null
      return session?.user.id ?? null
    },
    settings: (database) => fromBetterAuth({ database, secret, deadline }),
  }
}

export async function openAuthjs(pool: Pool): Promise<OldLibrary> {
  // As the page of the adapter has them.
  await pool.query(`
    create table verification_token (identifier text, expires timestamptz, token text, primary key (identifier, token));
    create table accounts (id serial primary key, "userId" integer not null, type varchar(255) not null,
      provider varchar(255) not null, "providerAccountId" varchar(255) not null, refresh_token text, access_token text,
      expires_at bigint, id_token text, scope text, session_state text, token_type text);
    create table sessions (id serial primary key, "userId" integer not null, expires timestamptz not null,
      "sessionToken" varchar(255) not null);
    create table users (id serial primary key, name varchar(255), email varchar(255), "emailVerified" timestamptz,
      image text)`)
  const links = new Map<string, string>()
  const config: AuthConfig = {
    basePath: '/auth',
    trustHost: true,
    secret,
    adapter: PostgresAdapter(pool),
    session: { strategy: 'database' },
    callbacks: {
      session: ({ session, user }) => ({ ...session, user: { id: String(user.id) } }),
    },
    providers: [
      {
        id: 'email',
        name: 'Email',
        type: 'email',
        maxAge: 3600,
        from: 'shop@example.com',
        server: {},
        options: {},
        sendVerificationRequest: async ({
          identifier,
          url,
        }: {
          identifier: string
          url: string
        }) => {
          links.set(identifier, url)
        },
      } as never,
    ],
  }
  const handler = async (request: Request): Promise<Response> => await Auth(request, config)
  const userOf = async (browser: Browser): Promise<string | null> => {
    const answer = await browser.copy().ask(handler, `${ORIGIN}/auth/session`)
    const session = (await answer.json()) as { user?: { id: string } } | null
    return session?.user?.id ?? null
  }
  return {
    table: 'sessions',
    key: '"sessionToken"',
    importArgs: ['authjs'],
    userOf,
    async signIn() {
      const browser = new Browser()
      const email = `${randomUUID()}@example.com`
      const answer = await browser.ask(handler, `${ORIGIN}/auth/csrf`)
      const { csrfToken } = (await answer.json()) as { csrfToken: string }
      const content = new URLSearchParams({ email, csrfToken }).toString()
      const type = 'application/x-www-form-urlencoded'
      await browser.ask(handler, `${ORIGIN}/auth/signin/email`, { type, content })
      await browser.ask(handler, links.get(email) ?? '')
      return { browser, userId: (await userOf(browser)) ?? '' }
    },
    settings: (database) => fromAuthjs({ database, deadline }),
  }
}

export async function openLucia(pool: Pool): Promise<OldLibrary> {
  await pool.query(`
    create table auth_user (id text primary key);
    create table user_session (id text primary key, expires_at timestamptz not null,
      user_id text not null references auth_user (id))`)
  const adapter = new NodePostgresAdapter(pool, { user: 'auth_user', session: 'user_session' })
  const lucia = new Lucia(adapter)
  return {
    table: 'user_session',
    key: 'id',
    importArgs: ['lucia'],
    async signIn() {
      const browser = new Browser()
      const userId = randomUUID()
      await pool.query('insert into auth_user (id) values ($1)', [userId])
      const session = await lucia.createSession(userId, {})
      browser.keep([lucia.createSessionCookie(session.id).serialize()])
      return { browser, userId }
    },
    async userOf(browser) {
      const id = lucia.readSessionCookie(browser.cookie)
      const { user } = id === null ? { user: null } : await lucia.validateSession(id)
      return user?.id ?? null
    },
    settings: (database) => fromLucia({ database, deadline, tokens: 'clear' }),
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
const tokenOf = ({ cookie }: Browser): string => /(?:^|; )session=([^;]*)/.exec(cookie)?.[1] ?? ''

/** The pattern that Lucia's pages have shown since 2024: the id is the hash of the token. */
export async function openHashedPattern(pool: Pool): Promise<OldLibrary> {
  await pool.query(
    'create table user_session (id text primary key, user_id integer not null, expires_at timestamptz not null)',
  )
  let users = 0
  return {
    table: 'user_session',
    key: 'id',
    importArgs: ['lucia', '--tokens', 'hashed'],
    async signIn() {
      const browser = new Browser()
      const token = randomBytes(20).toString('hex')
      const userId = String(++users)
      await pool.query("insert into user_session values ($1, $2, now() + interval '30 days')", [
        sha256(token).toString('hex'),
        userId,
      ])
      browser.keep([`session=${token}; HttpOnly; Secure; Path=/; SameSite=Lax`])
      return { browser, userId }
    },
    async userOf(browser) {
      const { rows } = await pool.query(
        'select user_id::text from user_session where id = $1 and expires_at > now()',
        [sha256(tokenOf(browser)).toString('hex')],
      )
      return rows[0]?.user_id ?? null
    },
    settings: (database) => fromLucia({ database, deadline, tokens: 'hashed' }),
  }
}

/** The pattern of 2025: an id, and the hash of a secret beside it. */
export async function openDottedPattern(pool: Pool): Promise<OldLibrary> {
  await pool.query(
    'create table session (id text primary key, secret_hash bytea not null, user_id uuid not null, created_at timestamptz not null)',
  )
  return {
    table: 'session',
    key: 'id',
    importArgs: ['lucia', '--tokens', 'id-and-secret', '--lifetime', '1d'],
    async signIn() {
      const browser = new Browser()
      const [id, hidden, userId] = [
        randomBytes(15).toString('hex'),
        randomBytes(15).toString('hex'),
        randomUUID(),
      ]
      await pool.query('insert into session values ($1, $2, $3, now())', [
        id,
        sha256(hidden),
        userId,
      ])
      browser.keep([`session=${id}.${hidden}; HttpOnly; Secure; Path=/; SameSite=Lax`])
      return { browser, userId }
    },
    async userOf(browser) {
      const [id, hidden = ''] = tokenOf(browser).split('.')
      const { rows } = await pool.query('select user_id, secret_hash from session where id = $1', [
        id,
      ])
      return rows[0]?.secret_hash.equals(sha256(hidden)) ? rows[0].user_id : null
    },
    settings: (database) =>
      fromLucia({ database, deadline, tokens: 'id-and-secret', lifetime: '1d' }),
  }
}
