import { expect, it } from 'vitest'
import { typeCheck } from '../documents/type-check.ts'

/** Applications declare their sessions' keys as required, so the store must fit all of them. */
const express = `
import session from 'express-session'
import express from 'express'
import { MemoryStore } from 'pg-sessions'
import { PgSessionStore } from 'pg-sessions/express-session'

declare module 'express-session' {
  interface SessionData {
    user: { name: string }
  }
}

const store = new PgSessionStore({ store: new MemoryStore(), userId: ({ user }) => String(user) })
const asTheirs: session.Store = store
express().use(session({ store, secret: 'secret', resave: false, saveUninitialized: false }))
store.get<session.SessionData>('sid', (_error, found) => found?.user.name.toUpperCase())
store.load('sid', (_error, found) => found?.save())
asTheirs.on('disconnect', () => {})
`

const fastify = `
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import Fastify from 'fastify'
import { MemoryStore } from 'pg-sessions'
import { PgSessionStore } from 'pg-sessions/express-session'

declare module 'fastify' {
  interface Session {
    user: { name: string }
  }
}

const store = new PgSessionStore({ store: new MemoryStore() })
const app = Fastify()
app.register(fastifyCookie)
app.register(fastifySession, { store, secret: 'a secret with minimum length of 32 characters' })
app.get('/', async (request) => request.session.user.name)
`

for (const [name, code] of Object.entries({ express, fastify })) {
  it(`${name}'s middleware takes the store, whatever keys the application has declared`, async () => {
    const block = { file: `${name}-session.md`, line: 1, language: 'ts', code }
    expect(await typeCheck([block])).toEqual([])
  })
}
