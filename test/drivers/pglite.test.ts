import type { PGlite } from '@electric-sql/pglite'
import { fromPglite, type PgliteLike } from 'pg-sessions/pglite'
import { driverContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { openPglite } from '../support/pglite.ts'

let db: PGlite

beforeAll(async () => {
  const spoilt = () => 'spoilt'
  const everyType = { 16: spoilt, 17: spoilt, 20: spoilt, 25: spoilt, 114: spoilt, 1184: spoilt }
  db = await openPglite({ parsers: everyType, serializers: everyType })
})
afterAll(() => db.close())

/** The same database as another object, since a driver remembers that a database has given a wrong answer. */
function oneOf(database: PGlite): PgliteLike {
  return {
    query: (text, values, options) => database.query(text, values, options),
    exec: (sql) => database.exec(sql),
    transaction: (use) => database.transaction(use),
    listen: (channel, onMessage) => database.listen(channel, onMessage),
    isInTransaction: () => database.isInTransaction(),
  }
}

const patient = { timeout: 20_000 }

describe('fromPglite keeps the driver contract', () => {
  driverContract(
    { describe, it },
    async () => ({
      driver: fromPglite(oneOf(db)),
      connections: 1,
      runOnClient: async (sql) => {
        await db.exec(sql)
      },
      useClient: async () => {
        await db.query('select 1')
      },
      dispose: async () => {},
    }),
    { reconnects: false, inProcess: true },
  )
})

describe('fromPglite', () => {
  it('takes every PGlite as it is', () => {
    expectTypeOf<PGlite>().toExtend<PgliteLike>()
  })

  it('keeps the statements of the application itself out of a lent connection', async () => {
    let own: Promise<unknown> = Promise.resolve()
    await fromPglite(db).withConnection(async (connection) => {
      await connection.run('begin; create table lent (x text)')
      own = db.query('select * from lent')
      await connection.run('rollback')
    })
    await expect(own).rejects.toMatchObject({ code: '42P01' })
  })

  it("waits for the application's own transaction no longer than asked", async () => {
    let end = (): void => {}
    const own = db.transaction(
      () =>
        new Promise<void>((resolve) => {
          end = resolve
        }),
    )
    const lent = fromPglite(db).withConnection(async () => 'lent', { timeout: 50 })
    await expect(lent).rejects.toMatchObject({ code: 'ETIMEDOUT', syscall: 'connect' })
    end()
    await own
    expect(await fromPglite(db).withConnection(async () => 'lent')).toBe('lent')
  })

  it('lends the connection outside a transaction', async () => {
    const state = await fromPglite(db).withConnection(async (connection) => {
      await connection.run('create table kept (x text)')
      await connection.run('rollback')
      return await connection.query(
        { name: 'kept', text: `select to_regclass('kept')::text as name`, values: [] },
        patient,
      )
    })
    expect(state).toEqual([{ name: 'kept' }])
  })

  it('never sends a statement that was given up behind another wrap of the same database', async () => {
    const drivers = [fromPglite(db), fromPglite(db)] as const
    await drivers[0].withConnection(async (connection) => {
      await connection.run('create table given_up (x text)')
      const late = { name: 'late', text: `insert into given_up values ('late')`, values: [] }
      await expect(drivers[1].query(late, { timeout: 50 })).rejects.toMatchObject({
        code: 'ETIMEDOUT',
        syscall: 'connect',
      })
    })
    expect((await db.query('select * from given_up')).rows).toEqual([])
  })
})
