/**
 * What the shorter examples take for granted: the application, the database and the user's own
 * functions. An example that declares a name of its own hides the one here.
 */
import type { Server, ServerResponse } from 'node:http'
import type * as expressModule from 'express'
import type * as pg from 'pg'
import type * as main from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import type * as express from 'pg-sessions/express'
import type * as haskell from 'pg-sessions/haskell/cereal'
import type { WaiMapping } from 'pg-sessions/haskell/import'
import type * as drivers from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import type { WebSocket, WebSocketServer } from 'ws'

/** What `session` holds where an example does not say. */
interface ExampleData {
  basket: string[]
  notice: string
  seen: boolean
  visits: number
}

export declare const createSessions: typeof main.createSessions
export declare const defaultSettings: typeof main.defaultSettings
export declare const isSessionError: typeof main.isSessionError
export declare const randomToken: typeof main.randomToken
export declare const expressSessions: typeof express.expressSessions
export declare const fromPg: typeof drivers.fromPg
export declare const Pool: typeof pg.Pool

export declare const cereal: typeof haskell.cereal
export declare const cerealCodec: typeof haskell.cerealCodec

export declare const app: expressModule.Express
export declare const database: Driver
export declare const mapping: WaiMapping
export declare const client: pg.ClientBase
export declare const next: expressModule.NextFunction
export declare const pool: pg.Pool
export declare const req: expressModule.Request
export declare const request: Request
export declare const res: expressModule.Response
export declare const response: ServerResponse
export declare const server: Server
export declare const session: main.Session<ExampleData>
export declare const sessions: main.Sessions
export declare const socket: WebSocket
export declare const store: SessionStore
export declare const wss: WebSocketServer

/** A key service. */
export declare const kms: {
  encrypt(value: Uint8Array, context: Uint8Array): Promise<Uint8Array>
  decrypt(sealed: Uint8Array, context: Uint8Array): Promise<Uint8Array | null>
}

/** The application's own. */
export declare const findUser: (form: unknown) => Promise<{ readonly id: string } | null>
export declare const save: () => Promise<string>
export declare const transaction: (use: (client: pg.PoolClient) => Promise<void>) => Promise<void>
export declare const userId: string
export declare const passwordHash: string
