import { ConfigurationError, createSessions } from 'pg-sessions'
import { astroSessions } from 'pg-sessions/astro'
import { elysiaSessions } from 'pg-sessions/elysia'
import { expressSessions } from 'pg-sessions/express'
import { fastifySessions } from 'pg-sessions/fastify'
import { withSession } from 'pg-sessions/fetch'
import { h3Sessions } from 'pg-sessions/h3'
import { honoSessions } from 'pg-sessions/hono'
import { koaSessions } from 'pg-sessions/koa'
import { nextSessions } from 'pg-sessions/next'
import { connectSessions, nodeSessions } from 'pg-sessions/node'
import { reactRouterSessionStorage, reactRouterSessions } from 'pg-sessions/react-router'
import { sveltekitSessions } from 'pg-sessions/sveltekit'
import { expect, test } from 'vitest'

const none = () => undefined
const adapters: Record<string, (sessions: never) => unknown> = {
  astroSessions,
  connectSessions,
  elysiaSessions,
  expressSessions,
  fastifySessions,
  h3Sessions,
  honoSessions,
  koaSessions,
  nextSessions: (sessions) => nextSessions(sessions, { cookies: none, after: none } as never),
  nodeSessions,
  reactRouterSessions: (sessions) => reactRouterSessions(sessions, {} as never),
  reactRouterSessionStorage,
  sveltekitSessions,
  withSession: (sessions) => withSession(sessions, () => new Response()),
}

const mistakes = { undefined, 'another object': {}, 'a function': createSessions }

test.each(Object.entries(adapters))(
  '%s refuses what are no sessions when it is made',
  (name, adapter) => {
    for (const [kind, given] of Object.entries(mistakes)) {
      const make = (): unknown => adapter(given as never)
      expect(make).toThrow(ConfigurationError)
      expect(make).toThrow(`${name} needs what createSessions has given, and was given ${kind}.`)
    }
  },
)
