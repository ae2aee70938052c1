import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { expect, onTestFinished, test } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { everyStatement } from './every-statement.ts'

/** Each fits a call better than the server's own function, which takes a name or any array. */
const HOSTILE = {
  'convert_to(text, text)': 'bytea',
  'obj_description(oid, text)': 'text',
  'add_to_json(json, record)': 'json',
  'unnest(text[])': 'setof text',
  'unnest(smallint[])': 'setof smallint',
  'unnest(oid[])': 'setof oid',
}

test('no statement calls a function that another user has left in the schema public', async () => {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url })
  onTestFinished(async () => {
    await pool.end()
    await database.drop()
  })
  for (const [signature, result] of Object.entries(HOSTILE)) {
    await database.query(`create function public.${signature} returns ${result}
      language plpgsql as $$ begin raise exception 'called'; end $$`)
  }
  await database.query(
    'create aggregate public.json_agg(record) (sfunc = add_to_json, stype = json)',
  )
  const sessions = createSessions({ database: fromPg(pool) })
  await sessions.ready()
  await sessions.check()
  expect((await everyStatement(pool)).size).toBeGreaterThan(20)
})
