import 'reflect-metadata'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Controller, Get, Inject, Module, Session } from '@nestjs/common'
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
            adapter: adapter as (sessions: object) => object,
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
      assert.doesNotMatch(await answer.text(), /changed|The store is away/)
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
  })
}
