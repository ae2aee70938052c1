/**
 * What is used here of `express-session`. Its types from DefinitelyTyped declare `request.session` for all
 * of Express, which is what our own adapter does too; so `tsconfig.json` leads here instead.
 */
import type { RequestHandler } from 'express'

export interface SessionValue {
  cookie: {
    originalMaxAge: number | null
    expires: Date | null
    httpOnly: boolean
    path: string
  }
  [key: string]: unknown
}

export interface Store {
  get(sid: string, callback: (error: unknown, value?: SessionValue | null) => void): void
  set(sid: string, value: SessionValue, callback: (error?: unknown) => void): void
  touch(sid: string, value: SessionValue, callback: (error?: unknown) => void): void
  destroy(sid: string, callback: (error?: unknown) => void): void
}

interface Session {
  (options: {
    store: Store
    secret: string
    name?: string
    resave: boolean
    saveUninitialized: boolean
    cookie: { maxAge: number }
  }): RequestHandler
  readonly MemoryStore: new () => Store
}

const session: Session
export default session
