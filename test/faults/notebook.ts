import type { AddressInfo } from 'node:net'
import express from 'express'
import { createSessions, type SessionEvents, type Sessions } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { expressSessions } from 'pg-sessions/express'
import type { ClientOptions, DatabaseClient, OpenClient } from './clients.ts'

/** What a session of the notebook holds. */
interface Notes {
  note: string
}

export interface NotebookOptions {
  /** Milliseconds. Defaults to 1500: a busy machine takes its time even when nothing is wrong. */
  readonly deadline?: number
  readonly client?: ClientOptions
  /** Comes between the sessions and the client. */
  readonly wrap?: (driver: Driver) => Driver
  readonly migrate?: 'auto' | 'check' | 'off'
}

/** An Express application that keeps a note in each visitor's session, over real HTTP. */
export interface Notebook extends AsyncDisposable {
  readonly url: string
  readonly sessions: Sessions<Notes>
  /** The application's only way to the database. */
  readonly client: OpenClient
  /** Milliseconds. */
  readonly deadline: number
  /** Which operations found the store unavailable. */
  readonly unavailable: SessionEvents['storeUnavailable'][]
  browser(): Browser
}

/** What a page answered. */
export interface Page {
  readonly status: number
  readonly text: string
  /** The `Set-Cookie` fields. */
  readonly cookies: readonly string[]
  readonly milliseconds: number
}

/** Starts the application on a database. It knows of no fault; what it does about one is ours. */
export async function openNotebook(
  { open }: DatabaseClient,
  databaseUrl: string,
  {
    deadline = 1500,
    client: options = {},
    migrate = 'auto',
    wrap = (it) => it,
  }: NotebookOptions = {},
): Promise<Notebook> {
  const client = await open(databaseUrl, options)
  const sessions = createSessions<Notes>({
    database: wrap(client.driver),
    deadline: `${deadline}ms`,
    migrate,
    log: false,
  })
  const unavailable: SessionEvents['storeUnavailable'][] = []
  sessions.on('storeUnavailable', (event) => unavailable.push(event))
  const server = application(sessions).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    sessions,
    client,
    deadline,
    unavailable,
    browser: () => new Browser(url),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await sessions.close()
      await client[Symbol.asyncDispose]()
    },
  }
}

function application(sessions: Sessions<Notes>): express.Express {
  const app = express()
  // Express's own error handler answers with the error's statusCode; it logs unless it is a test.
  app.set('env', 'test')
  const session = expressSessions(sessions)
  app.use(session)
  app.get('/untouched', (_request, response) => void response.send('untouched'))
  app.get('/note', async (request, response) => {
    response.send((await session.of(request).get('note')) ?? 'none')
  })
  app.post('/note/:note', (request, response) => {
    session.of(request).set('note', request.params.note)
    response.send('noted')
  })
  app.post('/sign-in/:user', async (request, response) => {
    await session.of(request).signIn(request.params.user)
    response.send(`hello ${request.params.user}`)
  })
  app.get('/user', async (request, response) => {
    await session.of(request).load()
    response.send(session.of(request).userId ?? 'anonymous')
  })
  for (const action of ['rotate', 'clear', 'destroy'] as const) {
    app.post(`/${action}`, (request, response) => {
      session.of(request)[action]()
      response.send('done')
    })
  }
  return app
}

/** A client with a cookie jar. */
export class Browser {
  token: string | null = null
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  get(path: string): Promise<Page> {
    return this.#ask('GET', path)
  }

  post(path: string): Promise<Page> {
    return this.#ask('POST', path)
  }

  async #ask(method: string, path: string): Promise<Page> {
    const begin = performance.now()
    const response = await fetch(this.#url + path, {
      method,
      headers: this.token === null ? {} : { cookie: `__Host-id=${this.token}` },
    })
    const text = await response.text()
    const milliseconds = performance.now() - begin
    const cookies = response.headers.getSetCookie()
    for (const cookie of cookies) this.token = /^__Host-id=([^;]+);/.exec(cookie)?.[1] ?? null
    return { status: response.status, text, cookies, milliseconds }
  }
}
