import type { RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import type express from 'express'
import type Fastify from 'fastify'
import type { Hono } from 'hono'
import type { streamSSE } from 'hono/streaming'
import type Koa from 'koa'
import { ConfigurationError } from 'pg-sessions'
import { h3Sessions } from 'pg-sessions/h3'
import { adapterContract } from 'pg-sessions/testing'
import { describe, expect, it } from 'vitest'
import { applicationIn as inExpress } from './express-application.ts'
import { applicationIn as inFastify } from './fastify-application.ts'
import { applicationIn as inHono } from './hono-application.ts'
import { applicationIn as inKoa } from './koa-application.ts'
import { askOnce } from './listen.ts'
import { memorySessions } from './memory-sessions.ts'

// The types are those of the current versions: what the applications use has not changed.
const require = createRequire(import.meta.url)
const express4: typeof express = require('express4')
const koa2: typeof Koa = require('koa2')
const fastify4: typeof Fastify = require('fastify4')
const hono3: { Hono: typeof Hono } = require('hono3')
const streaming: { streamSSE: typeof streamSSE } = require('hono3/streaming')

const h31: {
  createApp(options: { onError(error: { cause?: unknown }): void }): { use(handler: unknown): void }
  toNodeListener(app: object): RequestListener
} = require('h31')

describe('expressSessions in Express 4', () => {
  adapterContract({ describe, it }, inExpress(express4))
})

describe('koaSessions in Koa 2', () => {
  adapterContract({ describe, it }, inKoa(koa2))
})

describe('fastifySessions in Fastify 4', () => {
  adapterContract({ describe, it }, inFastify(fastify4))
})

describe('honoSessions in Hono 3', () => {
  adapterContract({ describe, it }, inHono(hono3.Hono, streaming.streamSSE), { raw: false })
})

describe('h3Sessions in h3 1', () => {
  const refusal = 'h3Sessions needs h3 2'

  it('says at the first request that it needs h3 2', async () => {
    const errors: unknown[] = []
    const app = h31.createApp({
      onError: ({ cause }) => void errors.push(cause),
    })
    app.use(h3Sessions(memorySessions()))
    expect((await askOnce(h31.toNodeListener(app))).response.status).toBe(500)
    expect(errors).toEqual([expect.any(ConfigurationError)])
    expect(String(errors[0])).toContain(refusal)
  })

  it('says so when it is called with the application', () => {
    const app = h31.createApp({ onError() {} })
    expect(() => h3Sessions(memorySessions())(app as never)).toThrow(refusal)
  })
})
