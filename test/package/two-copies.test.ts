import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../../scripts/run-command.ts'
import { createTestDatabase } from '../support/database.ts'
import { sharedPackage } from '../support/shared-package.ts'
import { createPackageUser } from './package-user.ts'

let folder: string
let user: string

const errors = `
  const given = (from) => [
    new from.ConfigurationError('a'),
    new from.StoreError('b'),
    new from.StoreUnavailableError('c', 'none'),
    new from.SchemaError('ERR_SCHEMA_MISSING', 'd'),
    new from.SessionGoneError('e'),
  ]
  const told = (by, errors) => errors.map((error) => [
    by.isSessionError(error), error instanceof by.SessionError, error instanceof by.ConfigurationError,
    error instanceof by.StoreError, error instanceof by.StoreUnavailableError,
    error instanceof by.SchemaError, error instanceof by.SessionGoneError, error instanceof by.UnsupportedError,
  ].map(Number).join(''))`

/** One application that loads the package by `require` and by `import`, and mixes what they give. */
const application = `
  const express = require('express')
  const { Pool } = require('pg')
  const required = {
    ...require('pg-sessions'), ...require('pg-sessions/pg'), ...require('pg-sessions/fetch'),
    ...require('pg-sessions/express'),
  }
  const pool = new Pool({ connectionString: process.env.DATABASE_URL })

  async function serve(made, adapted) {
    const database = made.fromPg(pool)
    const sessions = adapted.createSessions({ store: new made.PostgresStore({ driver: database }) })
    const app = express()
    app.use(made.expressSessions(sessions))
    app.use(adapted.expressSessions(sessions))
    app.get('/guarded', made.requireFresh('5m'), (req, res) => res.send('fresh'))
    app.post('/login', async (req, res) => { await req.session.signIn('ann'); res.send('in') })
    app.get('/', async (req, res) => { await req.session.load(); res.send(String(req.session.userId)) })
    const server = await new Promise((resolve) => { const s = app.listen(0, () => resolve(s)) })
    const url = 'http://localhost:' + server.address().port
    const login = await fetch(url + '/login', { method: 'POST' })
    const cookies = login.headers.getSetCookie()
    const page = await fetch(url, { headers: { cookie: cookies[0].split(';')[0] } })
    const headers = { cookie: cookies[0].split(';')[0] }
    const guarded = await (await fetch(url + '/guarded', { headers })).text()
    const [{ id }] = await sessions.listByUser('ann')
    await sessions.destroyById(id)
    server.close()
    await sessions.close()
    return [login.status, cookies.length, await page.text(), guarded]
  }

  async function main() {
    const imported = {
      ...await import('pg-sessions'), ...await import('pg-sessions/pg'), ...await import('pg-sessions/express'),
    }
    if (imported.createSessions === required.createSessions) throw Error('there is only one copy')
    console.log(JSON.stringify([await serve(required, imported), await serve(imported, required)]))
    await pool.end()
  }
  main()`

/** Two adapters of a framework on one request, each from a copy of its own. */
const adapters = `
  const required = { ...require('pg-sessions'), ...require('pg-sessions/fastify'), ...require('pg-sessions/elysia'),
    ...require('pg-sessions/next') }
  const newSessions = (name) => required.createSessions({
    store: new required.MemoryStore(), log: false, cookie: { name: '__Host-' + name },
  })

  async function inFastify(first, second) {
    const sessions = newSessions('id')
    const [outer, inner] = [first.fastifySessions(sessions), second.fastifySessions(sessions)]
    const app = require('fastify')()
    await app.register(outer)
    await app.register(inner)
    app.get('/', async (request) => {
      request.session.set('a', 1)
      return String(outer.of(request) === inner.of(request))
    })
    const { body, headers } = await app.inject('/')
    return [body, [headers['set-cookie']].flat().length]
  }

  async function inElysia(Elysia, first, second) {
    const [mine, theirs] = [first.elysiaSessions(newSessions('mine')), second.elysiaSessions(newSessions('theirs'))]
    const app = new Elysia().use(mine).use(theirs).get('/', (context) => {
      mine.of(context).set('a', 1)
      theirs.of(context).set('a', 1)
      return 'both'
    })
    const response = await app.handle(new Request('http://localhost/'))
    return [await response.text(), response.headers.getSetCookie().length]
  }

  async function inNext(first, second) {
    const sessions = newSessions('id')
    const store = { getAll: () => [], set() {} }
    const next = { cookies: async () => store, after() {} }
    return await first.nextSessions(sessions, next)() === await second.nextSessions(sessions, next)()
  }

  async function main() {
    const imported = { ...await import('pg-sessions/fastify'), ...await import('pg-sessions/elysia'),
      ...await import('pg-sessions/next') }
    if (imported.nextSessions === required.nextSessions) throw Error('there is only one copy')
    const { Elysia } = await import('elysia')
    console.log(JSON.stringify([
      await inFastify(required, imported), await inFastify(imported, required),
      await inElysia(Elysia, required, imported),
      await inNext(required, imported),
    ]))
  }
  main()`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-sessions-copies-'))
  const files = {
    'errors.cjs': `${errors}
      import('pg-sessions').then((imported) => {
        const required = require('pg-sessions')
        class Own extends required.StoreError {}
        console.log(JSON.stringify({
          same: told(required, given(required)),
          across: [told(required, given(imported)), told(imported, given(required))],
          own: [new Own('f') instanceof Own, new Own('f') instanceof imported.StoreError,
            new required.StoreError('g') instanceof Own, ({}) instanceof required.SessionError],
        }))
      })`,
    'application.cjs': application,
    'adapters.cjs': adapters,
  }
  user = await createPackageUser(await sharedPackage(), join(folder, 'user'), files, [
    'elysia',
    'express',
    'fastify',
    'pg',
  ])
}, 300_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

test('an error is told apart by its class in the other copy as in its own', async () => {
  const { output } = await runCommand(process.execPath, ['errors.cjs'], { cwd: user })
  const { same, across, own } = JSON.parse(output)
  expect(same).toEqual(['11100000', '11010000', '11001000', '11000100', '11000010'])
  expect(across).toEqual([same, same])
  expect(own).toEqual([true, true, false, false])
})

test('driver, store, sessions and adapters of both copies work together on one request', async () => {
  const database = await createTestDatabase()
  try {
    const environment = { DATABASE_URL: database.url, NODE_ENV: 'development' }
    const ran = await runCommand(process.execPath, ['application.cjs'], { cwd: user, environment })
    expect(ran.ok, ran.output).toBe(true)
    const [line = ''] = ran.output.split('\n').slice(-1)
    expect(JSON.parse(line)).toEqual([
      [200, 1, 'ann', 'fresh'],
      [200, 1, 'ann', 'fresh'],
    ])
  } finally {
    await database.drop()
  }
})

test('adapters of both copies know that they share a request', async () => {
  const { ok, output } = await runCommand(process.execPath, ['adapters.cjs'], { cwd: user })
  expect(ok, output).toBe(true)
  const [line = ''] = output.split('\n').slice(-1)
  expect(JSON.parse(line)).toEqual([['true', 1], ['true', 1], ['both', 2], true])
})
