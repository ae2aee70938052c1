import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readManifest } from '../../scripts/pack-package.ts'
import { root } from '../../scripts/run-command.ts'
import { readSubpaths } from '../../scripts/subpaths.ts'
import { createTestDatabase } from '../support/database.ts'
import { sharedPackage } from '../support/shared-package.ts'
import { startBundle } from './bundled-process.ts'
import { type Bundler, esbuild, vite } from './bundlers.ts'
import { createPackageUser } from './package-user.ts'

const served = `
  app.post('/basket', (req, res) => put(req, 'book').then(() => res.redirect(303, '/basket')))
  app.get('/basket', (req, res) => read(req).then((basket) => res.send(basket)))
  const server = app.listen(0, '127.0.0.1', () => {
    console.log('http://127.0.0.1:' + server.address().port)
  })
  process.stdin.resume().on('end', async () => {
    await new Promise((resolve) => server.close(resolve))
    await close()
    await pool.end()
  })`

/** Applications, and which modules of the package each may carry besides those that all have. */
const applications = {
  'Express and pg': {
    file: 'native.js',
    rooms: /^(adapters\/express(\/.+)?|drivers\/(pg|waiting|failures)(\/.+)?)$/,
    needs: ['adapters/express', 'drivers/pg'],
    text: `
      import express from 'express'
      import { Pool } from 'pg'
      import { createSessions } from 'pg-sessions'
      import { expressSessions } from 'pg-sessions/express'
      import { fromPg } from 'pg-sessions/pg'

      const pool = new Pool({ connectionString: process.env.DATABASE_URL })
      const sessions = createSessions({ database: fromPg(pool) })
      const app = express()
      app.use(expressSessions(sessions))
      const put = async (req, value) => req.session.set('basket', value)
      const read = (req) => req.session.get('basket')
      const close = () => sessions.close()
      ${served}`,
  },
  'express-session and pg': {
    file: 'compatible.js',
    // The store takes a pool of pg, and the table of connect-pg-simple, by its options.
    rooms:
      /^(compatibility\/(by-sid\/.+|express-session(\/.+)?)|drivers\/(pg|waiting|failures)(\/.+)?|import\/([^/]+|connect-pg-simple\/.+|express-store\/.+))$/,
    needs: ['compatibility/express-session', 'drivers/pg'],
    text: `
      import express from 'express'
      import session from 'express-session'
      import { Pool } from 'pg'
      import { PgSessionStore } from 'pg-sessions/express-session'

      const pool = new Pool({ connectionString: process.env.DATABASE_URL })
      const store = new PgSessionStore({ pool })
      const app = express()
      app.use(session({ store, secret: 'of a test', resave: false, saveUninitialized: false }))
      const put = async (req, value) => { req.session.basket = value }
      const read = async (req) => req.session.basket
      const close = () => store.close()
      ${served}`,
  },
} as const

/** What no application needs the whole of. */
const OPTIONAL = /^(adapters|cli|compatibility|drivers|embedded|import|testing|haskell)\//

/** What drivers share. */
const SHARED = /^drivers\/(waiting|failures)\//

const { devDependencies } = await readManifest()
/** Every client and framework is one. */
const clientsAndFrameworks = Object.keys(devDependencies)

/** The adapters and the drivers, each as the package exports it and as its module is called. */
const entries = (await readSubpaths())
  .filter(({ module }) => /^(adapters|drivers)\//.test(module))
  .map(({ name, module }) => [`pg-sessions${name.slice(1)}`, module] as const)

let folder: string
let user: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-sessions-bundled-'))
  const files = Object.fromEntries(
    Object.values(applications).map(({ file, text }) => [file, text] as const),
  )
  const others = ['express', 'express-session', 'pg']
  user = await createPackageUser(await sharedPackage(), join(folder, 'user'), files, others)
}, 300_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

const bundlers: readonly (readonly [string, Bundler])[] = [
  ['esbuild', esbuild],
  ['Vite', vite],
]

describe.each(bundlers)('bundled by %s', (_, bundle) => {
  test.each(Object.entries(applications))(
    '%s: one file alone makes its tables, keeps a session, and carries nothing it does not use',
    async (_, { file, rooms, needs }) => {
      const into = await mkdtemp(join(folder, 'alone-'))
      const bundled = await bundle({ entry: join(user, file), into })
      await expectToKeepASession(bundled.file)
      const carried = [...bundled.carried.keys()]
      expect(carried).toEqual(expect.arrayContaining(['errors/session-error', ...needs]))
      expect(carried.filter((name) => OPTIONAL.test(name) && !rooms.test(name))).toEqual([])
      expect(carried).not.toContain('store/memory-store')
    },
  )
})

async function expectToKeepASession(file: string): Promise<void> {
  const database = await createTestDatabase()
  try {
    const application = await startBundle(file, database.url)
    const put = await fetch(`${application.url}/basket`, { method: 'POST', redirect: 'manual' })
    // express-session sends the head before it has saved, and the end of the body after it.
    await put.text()
    const [cookie = ''] = put.headers.getSetCookie()
    const read = await fetch(`${application.url}/basket`, {
      headers: { Cookie: cookie.split(';')[0] ?? '' },
    })
    const answers = [put.status, read.status, await read.text()]
    expect([...answers, await application.stop()]).toEqual([303, 200, 'book', ''])
    const [count] = await database.query('select count(*)::int as stored from sessions.session')
    expect(count).toEqual({ stored: 1 })
  } finally {
    await database.drop()
  }
}

test.each(entries)(
  'an application that uses %s carries no other adapter and no other driver',
  async (subpath, module) => {
    const into = await mkdtemp(join(folder, 'entry-'))
    const entry = join(user, `${basename(into)}.js`)
    await writeFile(
      entry,
      `import { createSessions } from 'pg-sessions'
      import * as used from '${subpath}'
      console.log(createSessions, used)`,
    )
    const { carried } = await esbuild({ entry, into, external: clientsAndFrameworks })
    const optional = [...carried.keys()].filter((name) => OPTIONAL.test(name))
    const others = optional.filter(
      (name) => name !== module && !name.startsWith(`${module}/`) && !SHARED.test(name),
    )
    expect([optional.includes(module), others]).toEqual([true, []])
  },
)

test('the page names what a bundle for Express and pg carries of the package', async () => {
  const page = await readFile(join(root, 'docs', 'frameworks.md'), 'utf8')
  const named = Number(/about (\d+) KB, minified, for Express and `pg`/.exec(page)?.[1])
  const into = await mkdtemp(join(folder, 'small-'))
  const entry = join(user, applications['Express and pg'].file)
  const { carried } = await esbuild({ entry, into, minify: true })
  const bytes = [...carried.values()].reduce((sum, one) => sum + one, 0)
  expect(Math.abs(bytes / 1000 - named), `${bytes} bytes`).toBeLessThan(named / 10)
})
