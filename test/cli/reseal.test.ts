import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createSessions, type SealSettings, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { runCli } from './run-cli.ts'

let database: TestDatabase
let pool: pg.Pool

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

function open(seal?: SealSettings): Sessions<{ note: string }> {
  const settings = { database: fromPg(pool), log: false, ...(seal && { seal }) } as const
  return createSessions<{ note: string }>(settings)
}

const reseal = (keys: string, ...args: string[]) =>
  runCli(['reseal', '--json', ...args], {
    databaseUrl: database.url,
    environment: { PG_SESSIONS_SEAL_KEYS: keys },
  })

test('reseal encrypts values from before, then moves them to a new key, and shows no key', async () => {
  const [first, second] = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64'))
  const exchange = open().open(null)
  exchange.session.set('note', 'plain')
  const { setCookies } = await exchange.commit()

  const refused = await reseal(`${first}`)
  expect(JSON.parse(refused.stdout)).toMatchObject({ resealed: 0, failed: 1, complete: true })
  expect(refused.status).toBe(1)
  const sealed = await reseal(`${first}`, '--accept-unsealed')
  expect(JSON.parse(sealed.stdout)).toMatchObject({ resealed: 1, failed: 0 })
  const moved = await reseal(`${second}, ${first}`)
  expect(JSON.parse(moved.stdout)).toMatchObject({ resealed: 1, failed: 0 })
  expect(moved.status).toBe(0)
  const { session } = open({ keys: [second] }).open(setCookies[0]?.split(';')[0])
  expect(await session.get('note')).toBe('plain')
})

test('reseal without keys, or with wrong ones, says what to set and shows nothing of them', async () => {
  const key = randomBytes(31).toString('base64')
  const [missing, wrong] = [await reseal(''), await reseal(key)]
  expect(missing).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('PG_SESSIONS_SEAL_KEYS'),
  })
  expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('31 bytes') })
  expect(wrong.stdout + wrong.stderr).not.toContain(key)
})
