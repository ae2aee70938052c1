/** One web application, in a process of its own. */
import session from 'express-session'
import { visitor } from '../data/visitors.ts'
import { offer } from '../measure/program.ts'
import type { Servers } from '../store-level/contender.ts'
import {
  connectPgSimpleStore,
  connectRedisStore,
  pgSessionStore,
} from '../store-level/contenders/express-session-stores.ts'
import type { StartApplication } from './application.ts'
import * as express from './applications/express.ts'
import * as fastify from './applications/fastify.ts'
import { fastifySession } from './applications/fastify-session.ts'
import * as hono from './applications/hono.ts'

const APPLICATIONS = {
  'Express, no session': express.withoutSession,
  'Express, pg-sessions': express.native,
  'Express, express-session, MemoryStore': express.expressSession(
    async () => new session.MemoryStore(),
  ),
  'Express, express-session, PgSessionStore': express.expressSession(({ postgres }) =>
    pgSessionStore(postgres, 'http_express_store'),
  ),
  'Express, express-session, connect-pg-simple': express.expressSession(({ postgres }) =>
    connectPgSimpleStore(postgres, 'http_express'),
  ),
  'Express, express-session, connect-redis (redis 5)': express.expressSession(({ redis }) =>
    connectRedisStore(5, redis as string, 'http'),
  ),
  'Express, express-session, connect-redis (redis 6)': express.expressSession(({ redis }) =>
    connectRedisStore(6, redis as string, 'http'),
  ),
  'Express, express-session, connect-redis (redis 5, durable)': express.expressSession(
    ({ durableRedis }) => connectRedisStore(5, durableRedis as string, 'http'),
  ),
  'Fastify, no session': fastify.withoutSession,
  'Fastify, pg-sessions': fastify.native,
  'Fastify, @fastify/session, its memory store': fastify.withFastifySession(
    async () => new fastifySession.MemoryStore(),
  ),
  'Fastify, @fastify/session, PgSessionStore': fastify.withFastifySession(({ postgres }) =>
    pgSessionStore(postgres, 'http_fastify_store'),
  ),
  'Fastify, @fastify/session, connect-pg-simple': fastify.withFastifySession(({ postgres }) =>
    connectPgSimpleStore(postgres, 'http_fastify'),
  ),
  'Hono, no session': hono.withoutSession,
  'Hono, pg-sessions': hono.native,
} as const satisfies Record<string, StartApplication>

export type ApplicationName = keyof typeof APPLICATIONS

const tasks = {
  start: (order: {
    readonly name: ApplicationName
    readonly servers: Servers
    readonly visitors: number
  }): Promise<{ readonly port: number }> =>
    APPLICATIONS[order.name](
      order.servers,
      Array.from({ length: order.visitors }, (_, index) => visitor(index)),
    ),

  /** Microseconds of CPU that this process has used. */
  async cpu(): Promise<number> {
    const { user, system } = process.cpuUsage()
    return user + system
  },

  /** What is left in use after everything unreachable is gone; MiB. */
  async memory(): Promise<{ readonly heap: number; readonly resident: number }> {
    globalThis.gc?.()
    const { heapUsed, rss } = process.memoryUsage()
    return { heap: heapUsed / 2 ** 20, resident: rss / 2 ** 20 }
  },
}

export type ServerTasks = typeof tasks

offer(tasks)
