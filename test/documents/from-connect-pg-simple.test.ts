import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import pg from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { sessionOf } from '../compatibility/express-session-application.ts'
import { type OldApplication, openOldApplication } from '../import/old-application.ts'
import { codeBlocks, readDocument } from './code-blocks.ts'
import { runExample } from './run-example.ts'

const page = 'docs/from-connect-pg-simple.md'
const SECRET = 'as before'

let old: OldApplication
beforeEach(async () => {
  old = await openOldApplication()
})
afterEach(() => old.dispose())

/** The page's only block in this language with these words. */
function block(language: string, words: string): string {
  const found = codeBlocks(page).filter(
    (each) => each.language === language && each.code.includes(words),
  )
  expect(found, words).toHaveLength(1)
  return found[0]?.code ?? ''
}

function cookieOf(sid: string): string {
  const signature = createHmac('sha256', SECRET).update(sid).digest('base64').replace(/=+$/, '')
  return `connect.sid=${encodeURIComponent(`s:${sid}.${signature}`)}`
}

async function greeting(url: string, sid: string): Promise<string> {
  return (await fetch(url, { headers: { cookie: cookieOf(sid) } })).text()
}

test('the application goes on with the sessions of the old one', async () => {
  await old.save('an old one', { user: 'ann' })
  const secret = `process.env['SECRET'] = '${SECRET}'`
  const example = block('ts', 'app.listen(3000)')
  await using running = await runExample(example, old.database.url, secret)
  expect(await greeting(running.url, 'an old one')).toBe('Hello, ann')
  expect(await greeting(running.url, 'an old one')).toBe('Hello, ann')
  expect(await greeting(running.url, 'nobody')).toBe('Hello, stranger')
  expect(await old.sids()).toEqual([])
}, 60_000)

test('the commands of the page, one after the other, move everything', async () => {
  const commands = codeBlocks(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.trim().split('\n'))
    .map((line) => line.replace(/^npx pg-sessions /, '').split(' '))
  expect(commands.length).toBeGreaterThan(4)
  await old.save('a', { user: 'ann' })
  for (const command of commands) {
    const outcome = await runCli(command, { databaseUrl: old.database.url })
    expect(outcome, `${command.join(' ')}: ${outcome.stderr}`).toMatchObject({ status: 0 })
  }
  expect(await old.sids()).toEqual([])
  await old.pool.query(block('sql', 'drop table session;'))
  const status = await runCli(['status'], { databaseUrl: old.database.url })
  expect(status.stdout).not.toContain('connect-pg-simple')
}, 60_000)

test('rolled back, live sessions go on with what they hold now, and can move once more', async () => {
  await old.save('stays', { user: 'ann', step: 1 })
  await old.save('ends', { user: 'bob' })
  await old.pool.query(block('sql', 'create table session_before'))
  const pool = new pg.Pool({ connectionString: old.database.url, max: 3 })
  const store = new PgSessionStore({ pool, fallback: { table: 'session' }, log: false })
  const ask = <Answer>(does: (done: (error: unknown, answer?: Answer) => void) => void) =>
    new Promise<Answer | undefined>((resolve, reject) => {
      does((error, answer) => (error ? reject(error) : resolve(answer)))
    })
  try {
    const found = await ask<object>((done) => store.get<object>('stays', done as never))
    await ask((done) => store.set('stays', Object.assign(found ?? {}, { step: 2 }), done))
    await ask((done) => store.get('ends', done as never))
    await ask((done) => store.destroy('ends', done))

    await old.pool.query(block('sql', 'with gone as ('))
    expect(await old.sids()).toEqual(['stays'])
    expect(await askOldApplication('stays')).toEqual({ user: 'ann', step: 2, lives: true })
    expect(await askOldApplication('ends')).toEqual({ lives: false })

    const again = await ask<{ step: number }>((done) => store.get('stays', done as never))
    expect(again).toMatchObject({ user: 'ann', step: 2 })
  } finally {
    await store.close()
    await pool.end()
  }
}, 60_000)

/** Asks an application with express-session on the old store, over HTTP. */
async function askOldApplication(sid: string): Promise<unknown> {
  const app = express()
  app.use(session({ store: old.store, secret: SECRET, resave: false, saveUninitialized: false }))
  app.get('/', (request, response) => {
    const { user, step, cookie } = sessionOf(request)
    response.json({ user, step, lives: (cookie.maxAge ?? 0) > 0 })
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    return JSON.parse(await greeting(`http://127.0.0.1:${port}/`, sid))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('the table of options says of each what the store does with it', () => {
  const rows = readDocument(page)
    .split('\n')
    .filter((line) => /^\| `/.test(line))
  const named = (name: string): string => rows.find((row) => row.includes(`\`${name}\``)) ?? ''
  const pool = new pg.Pool()
  const make = (option: object): (() => unknown) => {
    return () => new PgSessionStore({ pool, log: false, ...option })
  }
  const taken = { ttl: 60, pruneSessionInterval: 60, createTableIfMissing: true }
  for (const [name, value] of Object.entries(taken)) {
    expect(named(name), name).toMatch(/\| accepted; [^|]+\|$/)
    expect(make({ [name]: value }), name).not.toThrow()
  }
  const refused = {
    disableTouch: true,
    pruneSessionRandomizedInterval: false,
    tableName: 'session',
    schemaName: 'public',
    conString: 'postgres://localhost/app',
    conObject: {},
    pgPromise: {},
    errorLog: () => {},
  }
  for (const [name, value] of Object.entries(refused)) {
    expect(named(name), name).toContain('refused')
    expect(make({ [name]: value }), name).toThrow(name)
  }
})
