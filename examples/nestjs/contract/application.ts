import 'reflect-metadata'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { ArgumentsHost, INestApplication } from '@nestjs/common'
import { Catch, type ExceptionFilter, HttpException, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { expressSessions } from 'pg-sessions/express'
import { fastifySessions } from 'pg-sessions/fastify'
import { SessionsModule } from 'pg-sessions/nestjs'
import type { OpenApplication, RunningApplication, Script } from 'pg-sessions/testing'
import { beforeHead, setCacheControl } from '../../../test/adapters/before-head.ts'
import { controllerOf, type SessionOf } from './controller.ts'

/** The contract's application in NestJS on Express. */
export const openOnExpress: OpenApplication = async ({ sessions, others, script }) => {
  const own = expressSessions(sessions)
  const other = expressSessions(others)
  const inner = expressSessions(sessions)
  @Module({
    imports: [
      SessionsModule.forRoot({ sessions: others, adapter: () => other }),
      SessionsModule.forRoot({ sessions, adapter: () => own }),
      SessionsModule.forRoot({ sessions, adapter: () => inner }),
    ],
    controllers: [controllerOf(script, { own, inner, other })],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, new ExpressAdapter(), { logger: false })
  app.use('/cached', (_request: unknown, response: ServerResponse, next: () => void) => {
    beforeHead(response, () => setCacheControl(response))
    next()
  })
  app.useGlobalFilters(errorPages(script, own))
  return listen(app)
}

/** The contract's application in NestJS on Fastify, whose sessions are made as the application starts. */
export const openOnFastify: OpenApplication = async ({ sessions, others, script }) => {
  const own = fastifySessions(sessions)
  const other = fastifySessions(others)
  const inner = fastifySessions(sessions)
  @Module({
    imports: [
      SessionsModule.forRootAsync({
        useFactory: async () => ({ sessions: others, adapter: () => other }),
      }),
      SessionsModule.forRootAsync({ useFactory: async () => ({ sessions, adapter: () => own }) }),
      SessionsModule.forRoot({ sessions, adapter: () => inner }),
    ],
    controllers: [controllerOf(script, { own, inner, other })],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false })
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', async (request: { url: string }, reply: { raw: ServerResponse }) => {
      if (request.url.startsWith('/cached')) setCacheControl(reply.raw)
    })
  app.useGlobalFilters(errorPages(script, own))
  return listen(app)
}

function errorPages(script: Script, own: SessionOf): ExceptionFilter {
  @Catch()
  class ErrorPages implements ExceptionFilter {
    catch(error: unknown, host: ArgumentsHost): void {
      const [request, response] = host.getArgs()
      const page = script.errorPage(own.of(request), request.url, error)
      const status = error instanceof HttpException ? error.getStatus() : page.status
      response.status(status).type('text/plain').send(page.text)
    }
  }
  return new ErrorPages()
}

async function listen(app: INestApplication): Promise<RunningApplication> {
  await app.listen(0, '127.0.0.1')
  const server = app.getHttpServer()
  return {
    origin: await app.getUrl(),
    async close() {
      const closed = once(server, 'close')
      server.closeAllConnections()
      await app.close()
      await closed
    },
  }
}
