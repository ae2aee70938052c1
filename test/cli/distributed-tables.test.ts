import { createSessions, PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openPostgresStore, type PostgresStoreHarness } from '../support/postgres-store.ts'
import { runCli } from './run-cli.ts'

/*
 * The way to distributed tables, with a stand-in for what Citus has in the catalog: a table of distributed tables, and
 * the function that fills it. What Citus itself does is asked in test/store/citus.test.ts.
 */

let harness: PostgresStoreHarness
beforeAll(async () => {
  harness = await openPostgresStore()
})
afterAll(() => harness.dispose())

const STAND_IN = `
  set allow_system_table_mods = on;
  create table pg_catalog.pg_dist_partition (logicalrelid regclass primary key, key text);
  create function pg_catalog.create_distributed_table(t regclass, k text, colocate_with text default 'default')
    returns void language plpgsql as $$
    begin
      if colocate_with <> 'default' and not exists (
        select from pg_catalog.pg_dist_partition where logicalrelid = colocate_with::regclass
      ) then
        raise exception 'relation % is not distributed', colocate_with;
      end if;
      insert into pg_catalog.pg_dist_partition values (t, k);
    end $$;`

test('without Citus, the command says so and has migrated', async () => {
  const { status, stderr } = await migrate('--citus')
  expect(status).toBe(1)
  expect(stderr).toContain('does not have the extension Citus')
})

describe('with Citus', () => {
  beforeAll(() => harness.database.query(STAND_IN))
  beforeEach(() => harness.database.query('delete from pg_catalog.pg_dist_partition'))

  const open = (distributed: boolean) =>
    createSessions({ database: fromPg(harness.pool), distributed })

  test('tables that are not distributed work as ever', async () => {
    for (const distributed of [false, true]) {
      const sessions = open(distributed)
      await sessions.ready()
      await sessions.close()
    }
  })

  test('the command distributes both tables by the id, once', async () => {
    const first = await migrate('--citus')
    expect(first.stdout).toContain('Write createSessions({ database, distributed: true })')
    expect(first.status).toBe(0)
    const second = await migrate('--citus')
    expect(second.stdout).toContain('Citus distributes the tables already.')
    const tables = await harness.database.query(
      'select logicalrelid::text as name, key from pg_catalog.pg_dist_partition order by 1',
    )
    expect(tables).toEqual([
      { name: 'sessions.session', key: 'id' },
      { name: 'sessions.session_data', key: 'session_id' },
    ])
  })

  test('distributes both or, after a refusal, none, and gives the words of the refusal', async () => {
    await harness.database.query(
      `insert into pg_catalog.pg_dist_partition values ('sessions.session_data', 'other')`,
    )
    const { status, stderr } = await migrate('--citus')
    expect(status).toBe(1)
    expect(stderr).toContain('duplicate key value violates unique constraint')
    const tables = await harness.database.query('select from pg_catalog.pg_dist_partition')
    expect(tables).toHaveLength(1)
  })

  test('sessions that do not know of it are refused at their first use, with what to write', async () => {
    await migrate('--citus')
    for (const mode of ['auto', 'check'] as const) {
      const store = new PostgresStore({ driver: fromPg(harness.pool), migrate: mode })
      await expect(store.ready()).rejects.toMatchObject({
        code: 'ERR_SCHEMA_DISTRIBUTED',
        message: expect.stringContaining('createSessions({ database, distributed: true })'),
      })
      await store.close()
    }
    const sessions = open(true)
    await sessions.ready()
    expect(await sessions.count()).toEqual({ live: 0, expired: 0 })
    await sessions.close()
  })

  test('the command line finds out by itself', async () => {
    await migrate('--citus')
    const { status, stdout } = await runCli(['purge', '--json'], {
      databaseUrl: harness.database.url,
    })
    expect([status, stdout]).toEqual([0, expect.stringContaining('"removed"')])
  })

  test('the printed SQL has the same statements', async () => {
    const { stdout } = await runCli(['sql', '--citus'], { databaseUrl: harness.database.url })
    expect(stdout).toContain(
      `create_distributed_table('"sessions"."session_data"', 'session_id', colocate_with => '"sessions"."session"')`,
    )
    expect((await runCli(['sql'], { databaseUrl: harness.database.url })).stdout).not.toContain(
      'distributed',
    )
  })

  test('a cap of users is refused, since no lock spans several servers', () => {
    const database = fromPg(harness.pool)
    const maxPerUser = { count: 5, beyond: 'end-oldest' } as const
    expect(() => createSessions({ database, distributed: true, maxPerUser })).toThrow(
      'except on distributed tables',
    )
  })
})

function migrate(...args: readonly string[]): ReturnType<typeof runCli> {
  return runCli(['migrate', ...args], { databaseUrl: harness.database.url })
}
