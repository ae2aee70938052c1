import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { expect, test } from 'vitest'
import { SCHEMA } from '../../demo/under-the-hood/stored-session.ts'
import { testAdminInBrowser } from '../demo/admin-in-browser.ts'
import { startOwnServer } from '../support/own-server.ts'
import { fillSessions } from './many-sessions.ts'

/*
 * The browser tests of the admin page at a million sessions. `pg_stat_statements` counts what the views of a real
 * browser cost: blocks of the database are the measure, and the milliseconds are printed.
 */

const SESSIONS = 1_000_000

/** Blocks of 8 kB. The table of sessions and its indexes have 60 000 of them. */
const MOST_BLOCKS_OF_A_VIEW = 15_000

let client: pg.Client

/** A server with a million sessions of the demo in it. */
async function openMillion(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = await startOwnServer({
    shared_preload_libraries: 'pg_stat_statements',
    max_wal_size: '4GB',
  })
  const pool = new pg.Pool({ connectionString: server.url })
  const sessions = createSessions({ database: fromPg(pool), schema: SCHEMA, log: false })
  await sessions.ready()
  await sessions.close()
  await pool.end()
  client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query('create extension pg_stat_statements')
  await fillSessions(client, SESSIONS, SCHEMA)
  return {
    url: server.url,
    async drop() {
      await client.end()
      await server[Symbol.asyncDispose]()
    },
  }
}

interface Cost {
  readonly milliseconds: number
  readonly blocks: number
  readonly statements: number
}

/** What the statements of the admin page have cost since the last call. */
async function costSinceReset(): Promise<Cost> {
  const { rows } = await client.query<Cost>(`
    select coalesce(sum(total_exec_time + total_plan_time), 0)::float as milliseconds,
      coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int as blocks,
      coalesce(sum(calls), 0)::int as statements
    from pg_stat_statements where query !~ 'pg_stat_statements'`)
  await client.query('select pg_stat_statements_reset()')
  return rows[0] as Cost
}

async function scansOfSessions(): Promise<unknown> {
  const { rows } = await client.query(
    `select relname, seq_scan from pg_stat_user_tables
     where schemaname = '${SCHEMA}' and relname like 'session%' order by relname`,
  )
  return rows
}

testAdminInBrowser({
  title: 'the admin page in a browser, at a million sessions',
  open: openMillion,
  isThorough: true,
  further(visit) {
    test('no view scans a table, and the first page is cheap', async () => {
      const { rows } = await client.query(
        `select id from ${SCHEMA}.session where user_id = 'user-7' limit 1`,
      )
      await visit('')
      const scans = await scansOfSessions()
      await costSinceReset()
      for (const query of [
        '',
        '?newest',
        '?by=user&q=user-7',
        '?by=tag&q=tenant:7',
        '?by=device&q=safari',
        `?session=${rows[0].id}`,
        '?end-user=user-7',
      ]) {
        await visit(query)
        const { milliseconds, blocks, statements } = await costSinceReset()
        console.log(
          `${query.padEnd(24)} ${statements} statements, ${blocks} blocks, ${milliseconds.toFixed(1)} ms`,
        )
        expect(blocks, query).toBeLessThan(MOST_BLOCKS_OF_A_VIEW)
      }
      expect(await scansOfSessions()).toEqual(scans)
    })
  },
})
