/**
 * Sessions for NestJS 10, 11 and 12, on the platforms Express and Fastify, for its own decorator `@Session()`.
 *
 * @module
 */
import type {
  DynamicModule,
  HttpServer,
  InjectionToken,
  MiddlewareConsumer,
  ModuleMetadata,
  OptionalFactoryDependency,
} from '@nestjs/common'
import { ConfigurationError } from '../errors.ts'
import { assertFunction } from '../http/adapter-arguments.ts'
import type { DefaultData, SessionOpener } from '../http/exchange.ts'

export {
  type CrossSiteOptions,
  refuseCrossSite,
  requireElevated,
  requireFresh,
} from './nestjs/guards.ts'

/** Injects what the module was given as `sessions`: `@Inject(SESSIONS) sessions: Sessions`. */
export const SESSIONS: symbol = Symbol('pg-sessions.sessions')

/** What the module needs. */
export interface SessionsModuleOptions<Data extends object = DefaultData> {
  /** What `createSessions` has given. */
  readonly sessions: SessionOpener<Data> & ClosableSessions
  /** The adapter of the platform: `expressSessions` or `fastifySessions`. */
  readonly adapter: <Kind extends object>(sessions: SessionOpener<Kind>) => object
}

/** What ends with the application, where the module's factory has made it. */
export interface ClosableSessions {
  close?(): Promise<unknown>
}

/** How to make what the module needs of what the application provides. */
export interface SessionsModuleAsyncOptions<Data extends object = DefaultData>
  extends Pick<ModuleMetadata, 'imports'> {
  /** What the factory is given. */
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[]
  useFactory(
    ...injected: unknown[]
  ): SessionsModuleOptions<Data> | Promise<SessionsModuleOptions<Data>>
}

/**
 * The module that gives each request its session, in all routes of the application. Import it once, in
 * the root module.
 *
 * NestJS hands the session to handlers by its own decorator `@Session()`, on both platforms. What a handler
 * changes is saved before the head of its response leaves. When a save fails the response is dropped and no
 * cookie is sent; the error goes to the exception filters, without which it is answered with its status.
 *
 * @example
 * ```ts
 * import { Controller, Module, Post, Redirect, Session } from '@nestjs/common'
 * import type { Session as VisitorSession } from 'pg-sessions'
 * import { SessionsModule } from 'pg-sessions/nestjs'
 *
 * @Controller()
 * class LoginController {
 *   @Post('login')
 *   @Redirect('/')
 *   async login(@Session() session: VisitorSession) {
 *     await session.signIn('ann')
 *   }
 * }
 *
 * @Module({
 *   imports: [SessionsModule.forRoot({ sessions, adapter: expressSessions })],
 *   controllers: [LoginController],
 * })
 * export class AppModule {}
 * ```
 */
export const SessionsModule: SessionsModuleFactory = { forRoot, forRootAsync }

/** The ways to make the module. */
export interface SessionsModuleFactory {
  /** Makes the module of sessions that there are already. */
  forRoot<Data extends object>(options: SessionsModuleOptions<Data>): DynamicModule
  /**
   * Makes the module of sessions that are created when the application starts, of what it provides: its
   * settings, its pool.
   *
   * What the factory gives is closed when the application is: by `app.close()`, or on a signal with
   * `app.enableShutdownHooks()`, once the requests in flight are answered. Sessions that the factory was
   * injected with stay open, as those of `forRoot` do, and so does the database's client.
   */
  forRootAsync<Data extends object>(options: SessionsModuleAsyncOptions<Data>): DynamicModule
}

function forRoot<Data extends object>(options: SessionsModuleOptions<Data>): DynamicModule {
  checkOptions(options, 'forRoot')
  return moduleOf({ useFactory: () => options }, () => false)
}

function forRootAsync<Data extends object>(
  options: SessionsModuleAsyncOptions<Data>,
): DynamicModule {
  assertFunction(
    Object(options).useFactory,
    'SessionsModule.forRootAsync',
    'a factory',
    '{ useFactory: () => ({ sessions, adapter: expressSessions }) }',
  )
  return moduleOf(options, (sessions, injected) => !injected.includes(sessions))
}

function moduleOf<Data extends object>(
  { imports = [], inject = [], useFactory }: SessionsModuleAsyncOptions<Data>,
  isMade: (sessions: unknown, injected: readonly unknown[]) => boolean,
): DynamicModule {
  let options: SessionsModuleOptions<Data> | undefined
  let made: ClosableSessions | undefined
  const provider = {
    provide: SESSIONS,
    inject,
    async useFactory(...injected: unknown[]) {
      options = await useFactory(...injected)
      checkOptions(options, 'forRootAsync')
      const { sessions } = options
      if (isMade(sessions, injected)) made = sessions
      return sessions
    },
  }
  // A class without decorators is given nothing, but is asked for this when all providers are there.
  class SessionsModule {
    configure(consumer: MiddlewareConsumer): void {
      if (options !== undefined) addToPlatform(platformOf(consumer), options)
    }

    /** Not when modules are destroyed: the platform still answers requests then. */
    async onApplicationShutdown(): Promise<void> {
      await made?.close?.()
    }
  }
  return {
    module: SessionsModule,
    global: true,
    imports,
    providers: [provider],
    exports: [SESSIONS],
  }
}

function checkOptions(options: unknown, maker: string): void {
  const { sessions } = Object(options)
  if (typeof Object(sessions).open === 'function') return
  throw new ConfigurationError(
    `SessionsModule.${maker} takes { sessions, adapter }: the sessions of createSessions, and expressSessions or fastifySessions itself.`,
  )
}

interface Platform extends Pick<HttpServer, 'getType'> {
  /** Express's own. */
  use(middleware: object): unknown
  /** Fastify's own. */
  register?(plugin: object): unknown
}

/** The builder behind the consumer knows the platform; its interface does not say so. */
function platformOf(consumer: MiddlewareConsumer & { getHttpAdapter?(): Platform }): Platform {
  const platform = consumer.getHttpAdapter?.()
  if (platform === undefined) {
    throw new ConfigurationError(
      'SessionsModule found no HTTP platform. Use NestJS 10, 11 or 12 with @nestjs/platform-express or @nestjs/platform-fastify.',
    )
  }
  return platform
}

function addToPlatform<Data extends object>(
  platform: Platform,
  { sessions, adapter }: SessionsModuleOptions<Data>,
): void {
  if (typeof adapter !== 'function') {
    throw wrongAdapter('adapter must be expressSessions or fastifySessions itself')
  }
  const added = adapter(sessions)
  const isFastify = platform.getType?.() === 'fastify'
  // Fastify's own mark of a plugin that holds outside its scope, as ours does.
  if (isFastify !== Reflect.has(added, Symbol.for('skip-override'))) {
    throw wrongAdapter(`this application runs on ${isFastify ? 'Fastify' : 'Express'}`)
  }
  if (isFastify) platform.register?.(added)
  else platform.use(added)
}

function wrongAdapter(reason: string): ConfigurationError {
  return new ConfigurationError(
    `SessionsModule was given the wrong adapter: ${reason}. Write adapter: expressSessions with @nestjs/platform-express, adapter: fastifySessions with @nestjs/platform-fastify.`,
  )
}
