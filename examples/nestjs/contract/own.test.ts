import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import {
  Controller,
  type DynamicModule,
  Get,
  Inject,
  Module,
  Session,
  type Type,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import {
  createSessions,
  MemoryStore,
  type Sessions,
  StoreUnavailableError,
  type Session as VisitorSession,
} from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { fastifySessions } from 'pg-sessions/fastify'
import { SESSIONS, SessionsModule } from 'pg-sessions/nestjs'

const { version }: { version: string } = createRequire(import.meta.url)('@nestjs/core/package.json')

const platforms = [
  { name: 'Express', platform: () => new ExpressAdapter(), adapter: expressSessions },
  { name: 'Fastify', platform: () => new FastifyAdapter(), adapter: fastifySessions },
] as const

for (const { name, platform, adapter } of platforms) {
  /** Asks a small application once, whose store may be away. */
  const ask = async (path: string, store = new MemoryStore()): Promise<Response> => {
    @Controller()
    class VisitController {
      readonly #sessions: Sessions

      constructor(@Inject(SESSIONS) sessions: Sessions) {
        this.#sessions = sessions
      }

      @Get('visit')
      visit(@Session() session: VisitorSession) {
        session.set('clicks', 1)
        return 'changed'
      }

      @Get('list')
      async list(@Session() session: VisitorSession) {
        await session.signIn('ann')
        const found = await this.#sessions.listByUser('ann')
        return String(found.length)
      }
    }

    @Module({ providers: [{ provide: 'store', useValue: store }], exports: ['store'] })
    class StoreModule {}

    @Module({
      imports: [
        SessionsModule.forRootAsync({
          imports: [StoreModule],
          inject: ['store'],
          useFactory: (given: MemoryStore) => ({
            sessions: createSessions({ store: given, log: false }),
            adapter,
          }),
        }),
      ],
      controllers: [VisitController],
    })
    class AppModule {}

    const app = await NestFactory.create(AppModule, platform(), { logger: false })
    try {
      await app.listen(0, '127.0.0.1')
      return await fetch(`${await app.getUrl()}${path}`)
    } finally {
      await app.close()
    }
  }

  describe(`NestJS on ${name}`, () => {
    it('answers a failed save with its status when there is no filter', async () => {
      const store = new MemoryStore()
      store.create = () => Promise.reject(new StoreUnavailableError('The store is away.', 'none'))
      const answer = await ask('/visit', store)
      assert.equal(answer.status, 503)
      const text = await answer.text()
      assert.doesNotMatch(text, /changed/)
      // NestJS 10 itself answers with the message of any error that has a status.
      if (!version.startsWith('10.')) assert.doesNotMatch(text, /The store is away/)
      assert.deepEqual(answer.headers.getSetCookie(), [])
    })

    it("sends NestJS's own 404 untouched", async () => {
      const answer = await ask('/nowhere')
      assert.equal(answer.status, 404)
      assert.equal(answer.headers.get('vary'), null)
    })

    it('makes the sessions of what is injected, and injects them', async () => {
      assert.equal(await (await ask('/list')).text(), '1')
    })

    it('closes what its factory has made, once the requests under way are answered', async () => {
      const opened = await open((sessions) =>
        SessionsModule.forRootAsync({ useFactory: () => ({ sessions, adapter }) }),
      )
      const answering = fetch(`${opened.url}/slow`)
      await opened.asked
      const closing = opened.app.close()
      opened.passGate()
      const answer = await answering
      assert.deepEqual([answer.status, answer.headers.getSetCookie().length], [200, 1])
      await closing
      await assert.rejects(opened.sessions.count(), { code: 'ERR_SESSIONS_CLOSED' })
    })

    it('leaves open what it was handed, by forRoot and through its factory', async () => {
      const handed = await open((sessions) => SessionsModule.forRoot({ sessions, adapter }))
      const injected = await open((sessions) =>
        SessionsModule.forRootAsync({
          imports: [moduleOf('theirs', sessions)],
          inject: ['theirs'],
          useFactory: (given: Sessions) => ({ sessions: given, adapter }),
        }),
      )
      for (const { app, sessions } of [handed, injected]) {
        await app.close()
        assert.deepEqual(await sessions.count(), { live: 0, expired: 0 })
      }
    })
  })

  /** Starts an application with a route that waits at a gate. */
  const open = async (moduleFor: (sessions: Sessions) => DynamicModule) => {
    const sessions = createSessions({ store: new MemoryStore(), log: false })
    const [gate, passGate] = gateOf()
    const [asked, tellAsked] = gateOf()
    @Controller()
    class SlowController {
      @Get('slow')
      async slow(@Session() session: VisitorSession) {
        tellAsked()
        await gate
        session.set('clicks', 1)
        return 'changed'
      }
    }
    @Module({ imports: [moduleFor(sessions)], controllers: [SlowController] })
    class AppModule {}
    const app = await NestFactory.create(AppModule, platform(), { logger: false })
    await app.listen(0, '127.0.0.1')
    return { app, sessions, url: await app.getUrl(), asked, passGate }
  }
}

function gateOf(): [gate: Promise<void>, pass: () => void] {
  let pass = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    pass = resolve
  })
  return [gate, pass]
}

function moduleOf(token: string, value: unknown): Type {
  @Module({ providers: [{ provide: token, useValue: value }], exports: [token] })
  class ValueModule {}
  return ValueModule
}
