import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Outcome, runCli } from '../cli/run-cli.ts'
import {
  expected,
  type OriginalService,
  openOriginalService,
} from '../import/haskell/original-service.ts'
import { codeBlocks } from './code-blocks.ts'
import { type RunningExample, runExample } from './run-example.ts'

/** The chapters "Run both" and "Move over", as they stand, on a database that the original wrote. */

const PAGE = 'docs/from-wai-session-postgresql.md'

let original: OriginalService
let folder: string
beforeEach(async () => {
  original = await openOriginalService()
  folder = await mkdtemp(join(tmpdir(), 'pg-sessions-page-'))
})
afterEach(async () => {
  await original.dispose()
  await rm(folder, { recursive: true })
})

const all = codeBlocks(PAGE)

function only(language: string, words: RegExp): string {
  const found = all.filter((block) => block.language === language && words.test(block.code))
  expect(found, String(words)).toHaveLength(1)
  return found[0]?.code ?? ''
}

/** Runs a block of commands line by line, as a reader would. */
async function shell(block: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const line of block.trim().split('\n')) {
    const [npx, program, ...args] = line.replace('./map.js', join(folder, 'map.js')).split(' ')
    expect([npx, program]).toEqual(['npx', 'pg-sessions'])
    outcomes.push(await runCli(args, { databaseUrl: original.database.url, givenModule: true }))
  }
  return outcomes
}

/** Sends one request with a key or token, and gives what came and the cookie that is to be kept. */
async function ask(
  { url }: RunningExample,
  cookie: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<{ body: string; cookie: string }> {
  const path = method === 'GET' ? '/' : '/login'
  const response = await fetch(url + path, { method, headers: { cookie: `SESSION=${cookie}` } })
  const [set = ''] = response.headers.getSetCookie()
  return { body: await response.text(), cookie: /^SESSION=([^;]+)/.exec(set)?.[1] ?? cookie }
}

function keyOf(state: string): string {
  return expected.sessions.find((session) => session.state === state)?.sessionKey ?? expect.fail()
}

test('“Run both”: the old cookie is known here, and what is changed here is known there', async () => {
  await using both = await runExample(only('ts', /waiSettings\(\{/), original.database.url)
  const key = keyOf('live')
  expect(await ask(both, key)).toEqual({ body: 'Hello héllo', cookie: key })
  const login = await ask(both, key, 'POST')
  expect(login.cookie).toMatch(/^[0-9a-f]{48}$/)
  const id = await original.lookUp(login.cookie)
  const { rows } = await original.pool.query(
    'SELECT value FROM wai_pg_session_data WHERE wai_pg_session=$1 AND key=$2',
    [id, Buffer.from('000000000000000475736572', 'hex')],
  )
  expect(rows).toEqual([{ value: Buffer.from('0000000000000003616e6e', 'hex') }])
  expect(await original.lookUp(key), 'the old key').toBeNull()
})

test('“Move over”: a visit moves its session, the command moves the rest, and no user is signed out', async () => {
  await using after = await runExample(
    only('ts', /fromWai\(\{.*timeout: '1h' \}\)/),
    original.database.url,
  )
  const here = await ask(after, keyOf('live'))
  expect(here.body).toBe('Hello héllo')
  expect(here.cookie).toHaveLength(54)

  const other = await original.begin({ user: 'bob' })
  const [look, doIt, ...more] = await shell(only('sh', /--dry-run/))
  expect(more).toEqual([])
  expect(look?.stdout).toMatch(/^Would move 4 sessions of wai-session-postgresql/)
  expect(doIt?.stdout).toMatch(/^Moved 4 sessions of wai-session-postgresql/)
  const bob = await ask(after, other)
  expect(bob.body).toBe('Hello bob')
  expect(bob.cookie).not.toBe(other)

  expect((await ask(after, here.cookie)).body).toBe('Hello héllo')
  const login = await ask(after, bob.cookie, 'POST')
  expect(await ask(after, other), 'the earlier key').toMatchObject({ body: 'Hello stranger' })
  expect((await ask(after, login.cookie)).body).toBe('Hello bob')
})

test('“Keys and values of other types”: the module on the page is one that the command takes', async () => {
  await original.pool.query('delete from wai_pg_sessions')
  await using _ = await runExample(
    only('ts', /fromWai\(\{.*timeout: '1h' \}\)/),
    original.database.url,
  )
  await runCli(['migrate'], { databaseUrl: original.database.url })
  await original.begin({ user: 'ann', basket: '["tea"]' })
  await writeFile(join(folder, 'map.js'), only('js', /export function map/))
  const [outcome] = await shell(only('sh', /--map/))
  expect(outcome?.status).toBe(0)
  expect(outcome?.stdout).toMatch(/^Moved 1 session /)
  const { rows } = await original.pool.query(
    `select user_id, convert_from(value, 'UTF8') as basket
      from sessions.session join sessions.session_data on session_id = id
      where convert_from(key, 'UTF8') = 'basket'`,
  )
  expect(rows).toEqual([{ user_id: 'ann', basket: '["tea"]' }])
})
