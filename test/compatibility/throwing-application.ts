/**
 * A plain Node server with express-session, whose handler throws. Run as a process of its own, since what
 * a handler throws ends a process that does not listen for it: `throwing-application.ts <theirs|ours> <url>`.
 * Prints what has come of it as JSON.
 */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import pg from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'

const [, , side, url] = process.argv
const pool = new pg.Pool({ connectionString: url })
const store =
  side === 'ours'
    ? new PgSessionStore({ pool, log: false })
    : new (connectPgSimple(session))({ pool, errorLog: () => {} })

const withSession = session({ store, secret: 's', resave: false, saveUninitialized: false }) as (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

let nexts = 0
let uncaught = 0
process.on('uncaughtException', () => {
  uncaught += 1
  server.closeAllConnections()
})

const server = createServer((request, response) => {
  withSession(request, response, () => {
    if (request.url === '/set') {
      Object.assign(request, { session: Object.assign(Reflect.get(request, 'session'), { a: 1 }) })
      response.end()
      return
    }
    nexts += 1
    // The first time only: a second call is what this is about.
    if (request.url === '/throw' && nexts === 1) throw new Error('the handler failed')
    response.end(JSON.stringify({ a: Reflect.get(request, 'session')?.a ?? null }))
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const set = await fetch(`${origin}/set`)
const cookie = set.headers.getSetCookie()[0]?.split(';')[0] ?? ''
await fetch(`${origin}/throw`, { headers: { cookie } }).catch(() => null)
const called = nexts
const kept = (await (await fetch(`${origin}/read`, { headers: { cookie } })).json()) as object
console.log(JSON.stringify({ called, uncaught, kept }))
process.exit(0)
