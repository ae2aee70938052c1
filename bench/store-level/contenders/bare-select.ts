import { Pool } from 'pg'
import type { Visitor } from '../../data/visitors.ts'
import type { OpenContender } from '../contender.ts'
import { nativeSchema } from './native.ts'

/**
 * The least that reading such a session can cost without sharing: one named prepared statement by the
 * primary key, of the tables that our own contender has made and filled.
 */
export const openBareSelect: OpenContender = async ({ postgres }, { name }) => {
  const pool = new Pool({ connectionString: postgres })
  const schema = nativeSchema(name)
  const text = `select s.secret_hash, d.key, d.value
    from ${schema}.session as s
      left join ${schema}.session_data as d on d.session_id = s.id
    where s.id = $1 and s.expires_at > now()`
  const load = async ({ id }: Visitor): Promise<void> => {
    const { rows } = await pool.query<{ key: Buffer; value: Buffer }>({
      name: 'bare_select',
      text,
      values: [id],
    })
    const found: Record<string, unknown> = {}
    for (const { key, value } of rows) found[key.toString()] = JSON.parse(value.toString())
    if (typeof found.visits !== 'number') throw new Error('not what was stored')
  }
  return { operations: { load } }
}

/** The same sessions as one row of JSON each. */
export const openBareSelectOfOneRow: OpenContender = async ({ postgres }, { name, data }) => {
  const pool = new Pool({ connectionString: postgres })
  const table = `bench_${name}_one_row`
  await pool.query(`
    drop table if exists ${table};
    create table ${table} (id uuid primary key, data text not null, expires_at timestamptz not null)`)
  return {
    operations: {
      async load({ id }) {
        const { rows } = await pool.query<{ data: string }>({
          name: 'bare_select_of_one_row',
          text: `select data from ${table} where id = $1 and expires_at > now()`,
          values: [id],
        })
        return JSON.parse(rows[0]?.data as string)
      },
      'first save': ({ id }) =>
        pool.query(`insert into ${table} values ($1, $2, 'infinity')`, [id, JSON.stringify(data)]),
    },
  }
}
