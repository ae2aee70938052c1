import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { createSessions, PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { storeContract } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { Visitor } from '../support/each-store-visitor.ts'
import { elapse } from '../support/postgres-store.ts'
import { type Application, clients } from './applications.ts'
import { findPgBouncers, type PgBouncer, startPgBouncer } from './pgbouncer.ts'

/** A pooler takes LISTEN and passes no notification on, so a store behind one asks now and then. */
function withoutListening({ listen: _, ...driver }: Driver): Driver {
  return driver
}

let database: TestDatabase
let direct: pg.Pool

beforeAll(async () => {
  database = await createTestDatabase()
  direct = new pg.Pool({ connectionString: database.url, max: 2 })
})
afterAll(async () => {
  await direct.end()
  await database.drop()
})

const bouncers = await findPgBouncers()

describe.each(bouncers.map((bouncer) => [bouncer.version, bouncer] as const))(
  'behind PgBouncer %s',
  (_, installed) => {
    const modes = [
      ['transaction', false],
      ['statement', false],
      ...(installed.tracks ? ([['transaction', true]] as const) : []),
    ] as const

    describe.each(modes)('in %s mode, with prepared statements: %s', (mode, prepare) => {
      let bouncer: PgBouncer

      beforeAll(async () => {
        bouncer = await startPgBouncer(installed, database.url, { mode })
        await new PostgresStore({ driver: fromPg(direct) }).ready()
      })
      afterAll(() => bouncer[Symbol.asyncDispose]())

      describe.each(Object.entries(clients))('%s', (client, open) => {
        let application: Application

        beforeAll(() => {
          application = open(bouncer.url, { prepare })
        })
        afterAll(() => application[Symbol.asyncDispose]())

        storeContract({ describe, it }, async () => {
          await direct.query('delete from sessions.session')
          const store = new PostgresStore({
            driver: withoutListening(application.driver),
            migrate: mode === 'statement' ? 'off' : 'auto',
          })
          // A cap takes a transaction, which a statement mode refuses.
          if (mode === 'statement')
            Object.defineProperty(store, 'limitsUsers', { value: undefined })
          return {
            store,
            elapse: (milliseconds) => elapse(direct, milliseconds),
            dispose: () => store.close(),
          }
        })

        test.skipIf(mode === 'statement')('doctor tells whether it tracks statements', async () => {
          const { stdout } = await runCli(['doctor', '--json'], { databaseUrl: bouncer.url })
          const codes = JSON.parse(stdout).findings.map(({ code }: { code: string }) => code)
          expect(codes).toContain(installed.tracks ? 'pooler' : 'pooler-without-statements')
        })

        // A statement mode lends a connection for one statement, so nothing can be migrated there.
        test.skipIf(mode === 'statement')('an empty database is given its tables', async () => {
          const empty = await createTestDatabase()
          {
            await using own = await startPgBouncer(installed, empty.url, { mode })
            await using starting = open(own.url, { prepare })
            const sessions = createSessions({ database: starting.driver, log: false })
            await sessions.ready()
            const { session } = sessions.open(null)
            session.set('note', 'milk')
            await session.save()
            await empty.query('drop schema sessions cascade')
            expect(await runCli(['migrate'], { databaseUrl: own.url })).toMatchObject({ status: 0 })
            expect(await runCli(['status'], { databaseUrl: own.url })).toMatchObject({ status: 0 })
            await sessions.close()
          }
          await empty.drop()
        })

        test.skipIf(mode === 'statement')('tables that were dropped are made again', async () => {
          const empty = await createTestDatabase()
          {
            await using own = await startPgBouncer(installed, empty.url, { mode })
            await using starting = open(own.url, { prepare })
            const sessions = createSessions({ database: starting.driver, log: false })
            await sessions.ready()
            await empty.query('drop schema sessions cascade')
            const save = async (): Promise<string> => {
              const { session } = sessions.open(null)
              session.set('note', 'milk')
              return await session.save().then(() => 'saved', String)
            }
            await expect.poll(save, { timeout: 10_000 }).toBe('saved')
            await sessions.close()
          }
          await empty.drop()
        })

        test.runIf(mode === 'statement')('a cap of users is refused, and says why', async () => {
          const sessions = createSessions({
            database: application.driver,
            migrate: 'off',
            maxPerUser: { count: 2, beyond: 'end-oldest' },
            log: false,
          })
          const { session } = sessions.open(null)
          const failure = await session.signIn('ann').catch((error: unknown) => error)
          expect(failure).toMatchObject(
            client === 'pg'
              ? { code: 'ERR_CONFIGURATION', message: expect.stringContaining('pool_mode') }
              : // Postgres.js passes on no error that ends a connection.
                { code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' },
          )
          await sessions.close()
        })

        test('it is restarted, and the application goes on', async () => {
          const store = new PostgresStore({ driver: application.driver, migrate: 'off' })
          const ask = (): Promise<string> =>
            store.destroy({ id: randomUUID() }).then(() => 'answered', String)
          expect(await ask()).toBe('answered')
          const busy = Array.from({ length: 8 }, ask)
          await bouncer.restart()
          await Promise.all(busy)
          await expect.poll(ask, { timeout: 10_000 }).toBe('answered')
          await store.close()
        })
      })

      test('several applications share its connections, and lose no update', async () => {
        const applications = [0, 1, 2, 3].map((n) =>
          Object.values(clients)[n % 2]?.(bouncer.url, { prepare, max: 4 }),
        )
        const all = applications.map((application) =>
          createSessions<{ count: number }>({
            database: withoutListening(application?.driver as Driver),
            migrate: 'off',
            log: false,
            deadline: '30s',
          }),
        )
        const [first] = all.map((sessions) => new Visitor(sessions))
        await first?.visit((session) => session.set('count', 0))
        const token = first?.token ?? null
        const add = (count = 0): number => count + 1
        const visits = all.flatMap((sessions) =>
          Array.from({ length: 10 }, () =>
            new Visitor(sessions, token).visit((session) => session.update('count', add)),
          ),
        )
        await Promise.all(visits)
        expect(await first?.visit((session) => session.get('count'))).toBe(40)
        for (const sessions of all) await sessions.close()
        for (const application of applications) await application?.[Symbol.asyncDispose]()
      })
    })
  },
)
