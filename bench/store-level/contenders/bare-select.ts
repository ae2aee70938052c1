import { Pool } from 'pg'
import { SAMPLE, type Visitor } from '../../data/visitors.ts'
import type { OpenContender } from '../contender.ts'

/**
 * The least that reading such a session can cost without sharing: one named prepared statement by the
 * primary key. Of our own two tables, which must have been filled, or of one row that holds
 * everything as JSON.
 */
export function openBareSelect(from: 'two tables' | 'one row'): OpenContender {
  return async (servers, visitors) => {
    const pool = new Pool({ connectionString: servers.postgres })
    if (from === 'two tables') return { operations: { load: ({ id }) => readTwoTables(pool, id) } }
    await fillOneTable(pool, visitors)
    return { operations: { load: ({ id }) => readOneRow(pool, id) } }
  }
}

async function fillOneTable(pool: Pool, visitors: readonly Visitor[]): Promise<void> {
  await pool.query(`
    drop table if exists bench_bare;
    create table bench_bare (id uuid primary key, data text not null, expires_at timestamptz not null)`)
  await pool.query(
    `insert into bench_bare select id, $2, 'infinity' from unnest($1::uuid[]) as v (id)`,
    [visitors.map(({ id }) => id), JSON.stringify(SAMPLE)],
  )
}

async function readOneRow(pool: Pool, id: string): Promise<unknown> {
  const { rows } = await pool.query<{ data: string }>({
    name: 'bare_one_row',
    text: 'select data from bench_bare where id = $1 and expires_at > now()',
    values: [id],
  })
  return JSON.parse(rows[0]?.data as string)
}

async function readTwoTables(pool: Pool, id: string): Promise<unknown> {
  const { rows } = await pool.query<{ secret_hash: Buffer; key: Buffer; value: Buffer }>({
    name: 'bare_two_tables',
    text: `select s.secret_hash, d.key, d.value
      from bench_native.session as s
        left join bench_native.session_data as d on d.session_id = s.id
      where s.id = $1 and s.expires_at > now()`,
    values: [id],
  })
  const data: Record<string, unknown> = {}
  for (const { key, value } of rows) data[key.toString()] = JSON.parse(value.toString())
  if (data.language !== 'en-GB') throw new Error('select: not what was stored')
  return data
}
