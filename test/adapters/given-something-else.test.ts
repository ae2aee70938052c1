import {
  ConfigurationError,
  createSessions,
  InvalidValueError,
  jsonCodec,
  MemoryStore,
} from 'pg-sessions'
import { astroSessions } from 'pg-sessions/astro'
import { elysiaSessions } from 'pg-sessions/elysia'
import { expressSessions } from 'pg-sessions/express'
import { PgSessionStore } from 'pg-sessions/express-session'
import { fastifySessions } from 'pg-sessions/fastify'
import { refuseCrossSite, requireElevated, requireFresh, withSession } from 'pg-sessions/fetch'
import { h3Sessions } from 'pg-sessions/h3'
import { honoSessions } from 'pg-sessions/hono'
import { koaSessions } from 'pg-sessions/koa'
import * as nestjs from 'pg-sessions/nestjs'
import { nextSessions } from 'pg-sessions/next'
import * as node from 'pg-sessions/node'
import { connectSessions, nodeSessions } from 'pg-sessions/node'
import { reactRouterSessionStorage, reactRouterSessions } from 'pg-sessions/react-router'
import { sveltekitSessions } from 'pg-sessions/sveltekit'
import { signedInAs } from 'pg-sessions/testing'
import { expect, test } from 'vitest'
import { memorySessions } from './memory-sessions.ts'

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
  '%s refuses what are not sessions when it is made',
  (name, adapter) => {
    for (const [kind, given] of Object.entries(mistakes)) {
      const make = (): unknown => adapter(given as never)
      expect(make).toThrow(ConfigurationError)
      expect(make).toThrow(`${name} needs the result of createSessions. It was given ${kind}.`)
    }
  },
)

test.each([
  ['a pool', { totalCount: 0, idleCount: 0, connect: none }, 'It is a pool of pg.'],
  ['a driver', { withConnection: none }, 'createSessions({ database: driver })'],
  ['a promise', Promise.resolve(), 'await it'],
])('an adapter recognizes %s in the place of sessions', (_, given, advice) => {
  expect(() => expressSessions(given as never)).toThrow(advice)
})

test.each([
  'connectSessions',
  'elysiaSessions',
  'expressSessions',
  'fastifySessions',
  'h3Sessions',
  'honoSessions',
  'koaSessions',
])('%s refuses options, which would do nothing', (name) => {
  const make = () =>
    Reflect.apply(adapters[name] as never, null, [sessions, { cookie: { maxAge: 1 } }])
  expect(make).toThrow(ConfigurationError)
  expect(make).toThrow('Pass settings, such as cookie, to createSessions')
})

const sessions = memorySessions()
const respond = () => new Response()
/** What is accepted by JavaScript, and would show at the first request or at the first failed save. */
const others: Record<string, () => unknown> = {
  'Did you mean onError\\?': () => nodeSessions(sessions, { onerror: none } as never),
  'onError must be a function': () => nodeSessions(sessions, { onError: 'page' } as never),
  'withSession has no option "onFail"': () =>
    withSession(sessions, respond, { onFail: none } as never),
  'withSession needs a handler': () => withSession(sessions, undefined as never),
  'astroSessions has no option': () => astroSessions(sessions, { onFail: none } as never),
  'sveltekitSessions has no option': () => sveltekitSessions(sessions, { onFail: none } as never),
  'nextSessions needs two functions of Next': () => nextSessions(sessions, undefined as never),
  'reactRouterSessions needs a context': () => reactRouterSessions(sessions, undefined as never),
  'requireFresh needs a handler': () => requireFresh('5m', undefined as never),
  'refuseCrossSite needs a handler': () => refuseCrossSite(undefined as never),
  'requireFresh needs the way to the session': () => node.requireFresh(sessions as never, '5m'),
  'requireElevated needs a handler': () => requireElevated('10m', undefined as never),
  'requireElevated needs the way to the session': () =>
    node.requireElevated(sessions as never, '10m'),
  'requireElevated of NestJS takes a duration only': () =>
    Reflect.apply(nestjs.requireElevated, null, ['10m', { redirectTo: '/' }]),
  'requireFresh of NestJS takes a duration only': () =>
    Reflect.apply(nestjs.requireFresh, null, ['5m', { redirectTo: '/' }]),
  'forRoot takes { sessions, adapter }': () => nestjs.SessionsModule.forRoot(sessions as never),
  'forRootAsync needs a factory': () => nestjs.SessionsModule.forRootAsync(undefined as never),
  'There is no event "sessionCreated"': () => sessions.on('sessionCreated' as never, none),
  'on needs a listener': () => sessions.on('created', undefined as never),
  "sessions.open takes the value of a request's Cookie field": () =>
    sessions.open({ headers: { cookie: 'a=1' } } as never),
  'startPurger takes no argument. .*purgeInterval': () =>
    Reflect.apply(sessions.startPurger, sessions, ['1h']),
  'a store for express-session': () =>
    createSessions({ store: new PgSessionStore({ store: new MemoryStore() }) as never }),
  'watch takes a stored session': () => sessions.watch(undefined as never, none),
}

test.each(Object.entries(others))('says that %s', (message, mistake) => {
  expect(mistake).toThrow(ConfigurationError)
  expect(mistake).toThrow(new RegExp(message.replace(/[{}]/g, '\\$&')))
})

test('destroyById takes the owner as an object, not as a text that would own nothing', async () => {
  await expect(sessions.destroyById('x', 'ann' as never)).rejects.toThrow("{ userId: 'ann' }")
})

test.each(['production', 'development', 'test'])('development takes no NODE_ENV: %s', (name) => {
  const make = () => createSessions({ store: new MemoryStore(), cookie: { development: name } })
  expect(make).toThrow("process.env.NODE_ENV === 'development'")
})

test.each([
  ['no arguments', []],
  ['no user', [sessions]],
  ['the user first', ['ann', sessions]],
])('signedInAs says what it takes when it is given %s', async (_, given) => {
  const refused = Reflect.apply(signedInAs, null, given)
  await expect(refused).rejects.toThrow(ConfigurationError)
  await expect(refused).rejects.toThrow("await signedInAs(sessions, 'ann')")
})

test('a codec that makes texts of values is refused, and writes nothing', async () => {
  const codec = { ...jsonCodec, encode: JSON.stringify as never }
  const own = createSessions({ store: new MemoryStore(), log: false, codec })
  const { session } = own.open(null)
  expect(() => session.set('basket', ['apple'])).toThrow(InvalidValueError)
  await session.save()
  expect(await own.count()).toMatchObject({ live: 0 })
})
