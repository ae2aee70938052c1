import type { Store } from 'express-session'
import type { FastifyPluginCallback } from 'fastify'

/** What is used here of `@fastify/session`. */
interface Peer {
  readonly default: FastifyPluginCallback<{
    readonly store: Store
    readonly secret: string
    readonly cookie: { readonly secure: boolean; readonly maxAge: number }
    readonly saveUninitialized: boolean
  }> & { readonly MemoryStore: new () => Store }
}

/** By a name that the compiler does not follow: its types say what every `request.session` is. */
const name: string = '@fastify/session'

export const { default: fastifySession } = (await import(name)) as Peer
