import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyPluginAsync, type FastifyPluginCallback } from 'fastify'
import { createSessions } from 'pg-sessions'
import { expressSessionTokens, PgSessionStore } from 'pg-sessions/express-session'
import { fastifySessions } from 'pg-sessions/fastify'
import { expect, it } from 'vitest'
import { Browser } from './browser.ts'
import { eachGround, type Grounds } from './grounds.ts'

// Its types and those of our own adapter give `request.session` two types in one program.
const load = createRequire(import.meta.url)
const fastifyCookie = load('@fastify/cookie') as FastifyPluginCallback
const fastifySession = load('@fastify/session') as FastifyPluginCallback<Record<string, unknown>>

const secret = 'a secret with minimum length of 32 characters'

eachGround((grounds) => {
  it('routes of @fastify/session and native ones share one session, each in a scope of its own', async () => {
    const browser = await open(grounds)
    const ann = browser()
    await ann.get('/theirs/set')
    expect(await ann.json('/native')).toEqual({ user: null, theirs: 1 })
    const stolen = ann.twin()
    expect((await ann.get('/native/login')).setCookies).toHaveLength(1)
    expect(await ann.json('/theirs')).toMatchObject({ theirs: 1, native: 2 })
    expect(await ann.json('/native')).toEqual({ user: 'ann', theirs: 1, native: 2 })
    expect(await stolen.json('/native')).toEqual({ user: null })
    await ann.get('/theirs/logout')
    expect(await ann.json('/native')).toEqual({ user: null })
  })
})

async function open(grounds: Grounds): Promise<() => Browser> {
  const ground = await grounds.lay()
  const sessions = createSessions({
    store: ground.watched.store,
    tokens: expressSessionTokens({ secret, prefix: '' }),
    cookie: { name: 'sessionId', development: true },
    idleTimeout: '1d',
    absoluteTimeout: 'none',
    log: false,
  })
  const native: FastifyPluginAsync = async (scope) => {
    await scope.register(fastifySessions(sessions))
    scope.get('/native', async ({ session }) => {
      await session.load()
      const { cookie: _, ...data } = session.data
      return { user: session.userId, ...data }
    })
    scope.get('/native/login', async ({ session }) => {
      await session.signIn('ann')
      session.set('native', 2)
      return 'welcome'
    })
  }
  const theirs: FastifyPluginAsync = async (scope) => {
    const store = new PgSessionStore({ store: ground.watched.store, log: false })
    grounds.closing(store)
    await scope.register(fastifyCookie)
    await scope.register(fastifySession, { secret, cookie: { secure: false }, store })
    scope.get('/theirs', async (request) => sessionOf(request))
    scope.get('/theirs/set', async (request) => {
      sessionOf(request).theirs = 1
      return 'set'
    })
    scope.get('/theirs/logout', async (request) => {
      await (sessionOf(request).destroy as () => Promise<void>)()
      return 'bye'
    })
  }
  const app = grounds.closing(Fastify({ forceCloseConnections: true }))
  await app.register(native)
  await app.register(theirs)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return () => new Browser(`http://127.0.0.1:${port}`)
}

function sessionOf(request: object): Record<string, unknown> {
  return (request as { readonly session: Record<string, unknown> }).session
}
