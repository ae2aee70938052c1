import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { starters } from '../../scripts/starters.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { codeBlocks, readDocument, root } from './code-blocks.ts'
import { bundleExample, runExample } from './run-example.ts'

const pages = readdirSync(join(root, 'docs', 'frameworks')).sort()
const table = readDocument('docs/frameworks.md')

/** What every page has, in this order. Only a page that needs no word on it leaves out the last but one. */
const HEADINGS = [
  'Install',
  'A login',
  'What to know',
  'Types',
  'Several kinds of sessions',
  'Limits',
  /^Coming from /,
  'Tested',
]

/** What every page says under "What to know". */
const SUBJECTS = ['Errors', 'Redirects', 'Streams', 'Raw replies', 'HEAD and 304', 'Guards']

function section(page: string, heading: string): string {
  const [, text = ''] = page.split(`\n## ${heading}\n`)
  return text.split('\n## ')[0] ?? ''
}

describe.each(pages)('the page %s', (file) => {
  const page = readDocument(`docs/frameworks/${file}`)

  test('has the shape of all', () => {
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading)
    const expected = HEADINGS.flatMap((wanted) => {
      if (typeof wanted === 'string') return [wanted]
      return headings.filter((heading) => wanted.test(heading)).slice(0, 1)
    })
    expect(headings).toEqual(expected)
    for (const subject of SUBJECTS) {
      expect(section(page, 'What to know'), subject).toContain(`\n- **${subject}`)
    }
  })

  test('is in the table of all', () => {
    expect(table).toContain(`](frameworks/${file}) | \``)
  })

  test('names the versions that are tested, and its example', () => {
    const tested = section(page, 'Tested')
    expect(tested).toMatch(/\]\(\.\.\/\.\.\/(examples\/|scripts\/starters\.ts)/)
    const named = tested.match(/\b\d+\.\d+\.\d+\b/g) ?? []
    expect(named).not.toEqual([])
    expect(named.filter((version) => !testedVersions().has(version))).toEqual([])
  })

  test('shows the code of its example, where it takes several files', () => {
    const example = join('examples', file.replace('.md', ''))
    for (const { code } of codeBlocks(`docs/frameworks/${file}`)) {
      const [, path] = /^\/\/ ([\w./+-]+\.tsx?)\n/.exec(code) ?? []
      if (path === undefined || !existsSync(join(root, example, path))) continue
      const lines = readDocument(join(example, path)).split('\n')
      for (const line of code.split('\n').slice(1)) {
        const at = lines.indexOf(line)
        expect(at, `${path}: ${line}`).not.toBe(-1)
        lines.splice(0, at)
      }
    }
  })
})

/** Where an example has what it takes to run with an earlier version of its framework. */
function earlierVersions(example: string): string[] {
  const folder = join(example, 'versions')
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder)).map((version) => join(folder, version))
}

/** The versions that tests and examples install. */
function testedVersions(): Set<string> {
  const manifests = ['examples', 'runtimes'].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => [join(folder, name), ...earlierVersions(join(folder, name))])
      .map((place) => join(place, 'package.json')),
  )
  const found = ['package.json', ...manifests.filter((file) => existsSync(join(root, file)))]
  const inStarters = starters.flatMap(({ passed }) => passed ?? [])
  return new Set([
    ...inStarters,
    ...found.flatMap((file) => {
      const {
        dependencies = {},
        devDependencies = {},
        optionalDependencies = {},
      } = JSON.parse(readDocument(file))
      const all = { ...dependencies, ...devDependencies, ...optionalDependencies }
      // An earlier major version is installed beside the current one as `npm:express@4.22.3`.
      return Object.values<string>(all).map((version) => version.replace(/^npm:.+@/, ''))
    }),
  ])
}

test('the table has every adapter', () => {
  const exported: Record<string, unknown> = JSON.parse(readDocument('package.json')).exports
  const adapters = Object.entries(exported).filter(([, file]) =>
    JSON.stringify(file).includes('./dist/adapters/'),
  )
  expect(adapters.length).toBeGreaterThan(10)
  for (const [subpath] of adapters)
    expect(table).toContain(`| \`pg-sessions${subpath.slice(1)}\` |`)
})

describe('the login', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())

  const login = (file: string): string =>
    codeBlocks(file).find(({ language }) => language === 'ts')?.code ?? ''

  test.each(['express', 'fastify', 'koa', 'hono', 'h3', 'node'])(
    'of %s works, over HTTP, on PostgreSQL',
    async (name) => {
      await using running = await runExample(login(`docs/frameworks/${name}.md`), database.url)
      await playLogin((path, init) => fetch(running.url + path, init))
    },
    60_000,
  )

  test('of Connect works, over HTTP', async () => {
    const [, { code } = { code: '' }] = codeBlocks('docs/frameworks/node.md').filter(
      ({ language }) => language === 'ts',
    )
    const above = `
      import { createSessions, MemoryStore } from 'pg-sessions'
      const sessions = createSessions({ store: new MemoryStore(), log: false })`
    const withLogout = code.replace(
      "app.use('/',",
      `app.use('/logout', async (request, response) => {
        await withSession.of(request).signOut()
        response.writeHead(303, { Location: '/' }).end()
      })\napp.use('/',`,
    )
    await using running = await runExample(withLogout, database.url, above)
    await playLogin((path, init) => fetch(running.url + path, init))
  }, 60_000)

  test('of Fetch works, on PostgreSQL', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-example-'))
    const { DATABASE_URL } = process.env
    process.env.DATABASE_URL = database.url
    try {
      const file = await bundleExample(login('docs/frameworks/fetch.md'), folder)
      const { default: server } = await import(pathToFileURL(file).href)
      await playLogin((path, init) => server.fetch(new Request(`http://localhost${path}`, init)))
    } finally {
      process.env.DATABASE_URL = DATABASE_URL
      await rm(folder, { recursive: true, force: true })
    }
  }, 60_000)
})

test('sessions of several kinds, each with a schema of its own, know nothing of each other', async () => {
  const database = await createTestDatabase()
  const pool = new Pool({ connectionString: database.url })
  try {
    const parts = { database: fromPg(pool), log: false } as const
    const customers = createSessions(parts)
    const staff = createSessions({ ...parts, schema: 'staff', cookie: { name: '__Host-staff' } })
    const exchange = customers.open(null)
    await exchange.session.signIn('ann')
    const [line = ''] = (await exchange.commit()).setCookies
    const token = /^__Host-id=([^;]+)/.exec(line)?.[1]
    const { session } = staff.open(`__Host-staff=${token}`)
    await session.load()
    expect([token, session.userId]).toEqual([expect.any(String), null])
  } finally {
    await pool.end()
    await database.drop()
  }
})

/** A visitor signs in and out again with a form. The earlier cookie is worthless then. */
async function playLogin(
  send: (path: string, init: RequestInit) => Promise<Response>,
): Promise<void> {
  let cookie = ''
  const visit = async (path: string, method: string): Promise<Response> => {
    // As the form of a page sends it.
    const body = method === 'POST' ? new URLSearchParams({ name: 'ann' }) : null
    const answer = await send(path, { method, body, headers: { cookie }, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) [cookie = ''] = line.split(';')
    return answer
  }
  expect(await (await visit('/', 'GET')).text()).toContain('Hello, stranger')
  expect(cookie).toBe('')
  expect((await visit('/login', 'POST')).status).toBeOneOf([302, 303])
  expect(await (await visit('/', 'GET')).text()).toContain('Hello, ann')
  const stolen = cookie
  expect((await visit('/logout', 'POST')).status).toBeOneOf([302, 303])
  cookie = stolen
  expect(await (await visit('/', 'GET')).text()).toContain('Hello, stranger')
}
