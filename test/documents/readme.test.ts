import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { codeBlocks, readDocument } from './code-blocks.ts'
import { bundleExample, runExample } from './run-example.ts'

const readme = readDocument('README.md')

/** The README's only example with these words. */
function example(words: string): string {
  const [found, ...others] = codeBlocks('README.md').filter(({ code }) => code.includes(words))
  expect(others, words).toEqual([])
  return found?.code ?? expect.fail(`No example says ${words}`)
}

/** A browser as far as it matters here: it keeps the one cookie. */
class Visitor {
  readonly #url: string
  cookie = ''

  constructor(url: string) {
    this.#url = url
  }

  async send(method: 'GET' | 'POST', path: string): Promise<Response> {
    const headers = { cookie: this.cookie }
    const response = await fetch(this.#url + path, { method, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) [this.cookie = ''] = line.split(';')
    return response
  }

  async read(path: string): Promise<string> {
    return (await this.send('GET', path)).text()
  }
}

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

test('the first screen says how to install it, how to see it run and how to test it', () => {
  const firstScreen = readme.split('\n').slice(0, 60).join('\n')
  expect(firstScreen).toContain('```sh\nnpm install pg-sessions pg\n```\n')
  expect(firstScreen).toContain('```sh\nnpm ci && npm run demo\nnpm ci && npm test\n```\n')
})

test('the Express example signs a visitor in and out, over HTTP, on PostgreSQL', async () => {
  await using running = await runExample(example('app.listen(3000)'), database.url)
  const visitor = new Visitor(running.url)
  expect(await visitor.read('/')).toBe('Hello, stranger')
  expect(visitor.cookie).toBe('')

  const answer = await visitor.send('POST', '/login')
  expect(answer.status).toBe(302)
  expect(await visitor.read(answer.headers.get('location') ?? '')).toBe('Hello, ann')
  const users = await database.query('select user_id from sessions.session')
  expect(users).toEqual([{ user_id: 'ann' }])

  const stolen = new Visitor(running.url)
  stolen.cookie = visitor.cookie
  await visitor.send('POST', '/logout')
  expect(await visitor.read('/')).toBe('Hello, stranger')
  expect(await stolen.read('/')).toBe('Hello, stranger')
  expect(await database.query('select 1 from sessions.session')).toEqual([])
}, 60_000)

test('the example for plain Node counts the visits of one visitor', async () => {
  const above = `
    import { createSessions, MemoryStore } from 'pg-sessions'
    const sessions = createSessions({ store: new MemoryStore(), log: false })`
  await using running = await runExample(example('nodeSessions(sessions)'), database.url, above)
  const visitor = new Visitor(running.url)
  expect(await visitor.read('/')).toBe('Visit 1')
  expect(await visitor.read('/')).toBe('Visit 2')
  expect(await new Visitor(running.url).read('/')).toBe('Visit 1')
}, 60_000)

test('the example for Fetch handlers counts the visits of one visitor', async () => {
  const above = `
    import { createSessions, MemoryStore } from 'pg-sessions'
    const sessions = createSessions({ store: new MemoryStore(), log: false })`
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-example-'))
  try {
    const code = `${above}\n${example('return new Response(`Visit')}`
    const module = await import(pathToFileURL(await bundleExample(code, folder)).href)
    const { fetch } = module.default as { fetch(request: Request): Promise<Response> }
    const first = await fetch(new Request('http://localhost/'))
    const [cookie = ''] = first.headers.getSetCookie().join().split(';')
    expect(await first.text()).toBe('Visit 1')
    const second = await fetch(new Request('http://localhost/', { headers: { cookie } }))
    expect(await second.text()).toBe('Visit 2')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)
