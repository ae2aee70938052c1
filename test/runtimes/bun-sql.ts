import assert from 'node:assert/strict'
import type pg from 'pg'
import { createSessions, type Sessions } from 'pg-sessions'
import { type BunSqlLike, fromBunSql } from 'pg-sessions/bun-sql'
import type { TestRunner } from 'pg-sessions/testing'

interface Query {
  unsafe(text: string): Promise<unknown>
}

/** A client of Bun's, as far as these tests use it. */
interface BunSql extends BunSqlLike, Query {
  begin(use: (tx: Query) => Promise<void>): Promise<unknown>
  close(options?: { timeout?: number }): Promise<void>
}

export type BunSqlClass = new (url: string, settings: object) => BunSql

/** What sessions do over Bun's SQL beyond the contracts. */
export function bunSqlTests(
  { it }: TestRunner,
  SQL: BunSqlClass,
  { url, admin }: { readonly url: string; readonly admin: pg.Pool },
): void {
  const test = (sentence: string, body: (sessions: Sessions, sql: BunSql) => Promise<void>): void =>
    it(sentence, async () => {
      const sql = new SQL(url, { max: 3, connection: { application_name: 'bun_sessions' } })
      const sessions = createSessions({ database: fromBunSql(sql), log: false })
      try {
        await sessions.ready()
        await body(sessions, sql)
      } finally {
        await sessions.close()
        await sql.close({ timeout: 1 })
      }
    })

  test('ends sessions in its transaction at the commit, and not after a rollback', async (sessions, sql) => {
    const cookie = await signIn(sessions, 'ann')
    const undo = new Error('undo')
    const undone = sql.begin(async (tx) => {
      assert.equal(await sessions.in(tx).destroyByUser('ann'), 1)
      throw undo
    })
    await assert.rejects(undone, (error) => error === undo)
    assert.equal(await userOf(sessions, cookie), 'ann')
    await sql.begin(async (tx) => {
      assert.equal(await sessions.in(tx).destroyByUser('ann'), 1)
    })
    assert.equal(await userOf(sessions, cookie), null)
  })

  test('gives no visitor the session of another while the application pipelines, fails and is cut off', async (sessions, sql) => {
    const names = Array.from({ length: 30 }, (_, index) => `visitor ${index}`)
    const cookies = await Promise.all(names.map((name) => signIn(sessions, name)))
    for (let round = 0; round < 5; round += 1) {
      const noise = Promise.allSettled([
        ...names.map((name) => sql.unsafe(`select '${name}' as proof, 1 / ${round % 2} as x`)),
        sql.unsafe('discard all'),
        round === 2 ? cutAll(admin) : null,
      ])
      const seen = await Promise.allSettled(cookies.map((cookie) => userOf(sessions, cookie)))
      await noise
      seen.forEach((answer, index) => {
        // A connection that was cut off may cost a request, never its user.
        if (answer.status === 'fulfilled') assert.equal(answer.value, names[index])
        else assert.equal(round, 2)
      })
    }
    assert.deepEqual(await Promise.all(cookies.map((cookie) => userOf(sessions, cookie))), names)
  })

  test('refuses an answer that is not its own, and asks again on another connection', async (_, sql) => {
    const driver = fromBunSql(sql)
    let swaps = 0
    const swapping = {
      ...driver,
      query: ((statement, options) =>
        driver.query(statement, {
          ...options,
          check(rows) {
            const isSwapped = swaps++ === 0
            options.check?.(isSwapped ? rows.map((row) => ({ ...row, proof: 'another' })) : rows)
          },
        })) as typeof driver.query,
    }
    const honest = createSessions({ database: driver, log: false })
    const cookie = await signIn(honest, 'ann')
    const sessions = createSessions({ database: swapping, log: false, migrate: 'off' })
    assert.equal(await userOf(sessions, cookie), 'ann')
    assert.ok(swaps >= 2, 'the answer was not refused')
    await Promise.all([sessions.close(), honest.close()])
  })

  it('refuses other clients, and says what to write', async () => {
    const mysql = new SQL('mysql://ann:s3cret@localhost/shop', {})
    for (const other of [undefined, url, admin, mysql]) {
      assert.throws(
        () => fromBunSql(other as never),
        (error) => error instanceof TypeError && !error.message.includes('s3cret'),
      )
    }
  })
}

async function signIn(sessions: Sessions, userId: string): Promise<string> {
  const exchange = sessions.open(null)
  await exchange.session.signIn(userId)
  const { setCookies } = await exchange.commit()
  return setCookies[0]?.split(';')[0] ?? ''
}

async function userOf(sessions: Sessions, cookie: string): Promise<string | null> {
  const { session } = sessions.open(cookie)
  await session.load()
  return session.userId
}

async function cutAll(admin: pg.Pool): Promise<void> {
  await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bun_sessions'",
  )
}
