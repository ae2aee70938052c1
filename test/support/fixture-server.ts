import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import express, { type ErrorRequestHandler, type Express, type Request } from 'express'
import pg from 'pg'
import { expressSessions } from '../../src/adapters/express.ts'
import { fromPg } from '../../src/drivers/pg.ts'
import {
  createSessions,
  type DatabaseSettings,
  isSessionError,
  type Logger,
  type Session,
  type Sessions,
} from '../../src/index.ts'

/** What a test may set; it travels to other processes as JSON. */
export type FixtureSettings = Omit<
  DatabaseSettings,
  'database' | 'codec' | 'generateSecret' | 'log'
>

/** An Express application on real PostgreSQL that lets a client do whatever a handler can do. */
export interface FixtureServer {
  readonly url: string
  readonly sessions: Sessions
  stop(): Promise<void>
}

/** Starts the application in this process. `write` is given all it logs, secrets included. */
export async function startFixtureServer(
  databaseUrl: string,
  settings: FixtureSettings = {},
  write: (text: string) => void = () => undefined,
): Promise<FixtureServer> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
  const sessions = createSessions({ ...settings, database: fromPg(pool), log: talkative(write) })
  const server = application(sessions, write).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await sessions.close()
      await pool.end()
    },
  }
}

function application(sessions: Sessions, write: (text: string) => void): Express {
  const gates = new Gates()
  const app = express()
  app.use(expressSessions(sessions))

  app.get('/untouched', (_request, response) => void response.send('untouched'))

  app.get('/session', async (request, response) => {
    const { session } = request
    await session.load()
    const { id, userId, data, isNew } = session
    response.json({ id, userId, data, isNew })
  })

  app.post('/do/:action{/:key}{/:value}', async (request, response) => {
    response.json({ result: await act(request) })
  })

  app.post('/redirect/:action{/:key}{/:value}', async (request, response) => {
    await act(request)
    response.redirect(303, '/session')
  })

  // A slow request: it has loaded its session, and waits for a gate before it goes on.
  app.post('/slow/:gate/:action{/:key}{/:value}', async (request, response) => {
    await request.session.load()
    await gates.waitAt(String(request.params.gate))
    response.json({ result: await act(request) })
  })
  app.get('/gates/:gate/reached/:count', async (request, response) => {
    await gates.reached(request.params.gate, Number(request.params.count))
    response.end()
  })
  app.post('/gates/:gate/open', (request, response) => {
    gates.open(request.params.gate)
    response.end()
  })

  app.post('/purge/:batchSize', async (request, response) => {
    response.json({ result: await sessions.purge({ batchSize: Number(request.params.batchSize) }) })
  })

  const answerErrors: ErrorRequestHandler = (error, _request, response, _next) => {
    write(`${inspect(error, { depth: null })}\n`)
    const { statusCode = 500, code } = isSessionError(error)
      ? error
      : ({} as { statusCode?: number; code?: string })
    response.status(statusCode).json({ code, message: String(error) })
  }
  app.use(answerErrors)
  return app
}

async function act({ session, params }: Request): Promise<unknown> {
  const { action, key = '', value } = params as Record<string, string | undefined>
  switch (action) {
    case 'set':
      return session.set(key, value)
    case 'delete':
      return session.delete(key)
    case 'get':
      return session.get(key)
    case 'take':
      return session.take(key)
    case 'increment':
      return session.update(key, (n) => Number(n ?? 0) + 1)
    case 'sign-in':
      return session.signIn(key)
    case 'sign-out':
      return session.signOut()
    case 'rotate':
    case 'clear':
    case 'destroy':
    case 'save':
      return (session as Session)[action]()
    default:
      return undefined
  }
}

/** Places where requests wait until they may go on together. */
class Gates {
  readonly #gates = new Map<string, EventEmitter & { arrived?: number }>()

  async waitAt(name: string): Promise<void> {
    const gate = this.#gate(name)
    const opened = once(gate, 'opened')
    gate.arrived = (gate.arrived ?? 0) + 1
    gate.emit('arrived')
    await opened
  }

  async reached(name: string, count: number): Promise<void> {
    const gate = this.#gate(name)
    while ((gate.arrived ?? 0) < count) await once(gate, 'arrived')
  }

  open(name: string): void {
    this.#gate(name).emit('opened')
  }

  #gate(name: string): EventEmitter & { arrived?: number } {
    const gate = this.#gates.get(name) ?? new EventEmitter().setMaxListeners(0)
    this.#gates.set(name, gate)
    return gate
  }
}

/** Logs every line there is, as fully as objects can be shown. */
function talkative(write: (text: string) => void): Logger {
  const line =
    (level: string) =>
    (facts: object, message: string): void =>
      write(`${level} ${message} ${inspect(facts, { depth: null, showHidden: true })}\n`)
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}
