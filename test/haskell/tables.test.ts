import pg from 'pg'
import { WaiStore, type WaiStoreOptions } from 'pg-sessions/haskell'
import { describe, expect, it } from 'vitest'
import { readCatalog } from '../postgres/read-catalog.ts'
import { connect, scratchDatabase, scratchRole } from '../postgres/scratch-database.ts'
import { OriginalSide } from './original-side.ts'
import { dump } from './shared-database.ts'

/** The original's two tables: made as it would make them, or left as it did. */

function storeOn(url: string, options: Partial<WaiStoreOptions> = {}): WaiStore {
  return new WaiStore({ driver: connect(url), timeout: '1h', ...options })
}

const proof = { id: '', secretHashes: [Buffer.from('a'.repeat(48))] }

/** What the original sends at its start, but for the schema that it names: one by one, without a lock. */
const originalStart = [
  'CREATE TABLE IF NOT EXISTS wai_pg_sessions (id bigserial PRIMARY KEY, session_key varchar NOT NULL, session_created_at bigint NOT NULL, session_last_access bigint NOT NULL, session_invalidate_key boolean NOT NULL DEFAULT FALSE, CONSTRAINT wai_pg_sessions_session_key UNIQUE (session_key))',
  'CREATE TABLE IF NOT EXISTS wai_pg_session_data (id bigserial PRIMARY KEY, wai_pg_session bigint REFERENCES wai_pg_sessions (id) ON UPDATE RESTRICT ON DELETE CASCADE, key bytea, value bytea, UNIQUE (wai_pg_session, key))',
  'CREATE INDEX IF NOT EXISTS idx_session_last_access ON public.wai_pg_sessions (session_last_access)',
]

describe('the tables', () => {
  it('are made as the original makes them: each column, constraint, index and name', async () => {
    const [theirs, ours] = [await scratchDatabase(), await scratchDatabase()]
    await theirs.query(dump)
    await storeOn(ours.url).ready()
    const catalog = await readCatalog(theirs, 'public')
    expect(catalog.length).toBeGreaterThan(15)
    expect(await readCatalog(ours, 'public')).toEqual(catalog)
  })

  it('of the original are left as they are', async () => {
    const database = await scratchDatabase()
    await database.query(dump)
    const before = await readCatalog(database, 'public')
    const oids = `select oid::int from pg_class where relname like '%wai_pg%' order by 1`
    const tables = await database.query(oids)
    const store = storeOn(database.url)
    await store.ready()
    expect((await store.load(proof)).status).toBe('unknown')
    expect(await readCatalog(database, 'public')).toEqual(before)
    expect(await database.query(oids)).toEqual(tables)
  })

  it('fit in a schema of their own, index included, and the original finds them there', async () => {
    const database = await scratchDatabase()
    await storeOn(database.url, { schema: 'Old "web"' }).ready()
    const names = (await readCatalog(database, 'Old "web"')).map(({ name }) => name)
    expect(names).toContain('idx_session_last_access')
    expect(await readCatalog(database, 'public')).toEqual([])
    const url = new URL(database.url)
    url.searchParams.set('options', '-c search_path="Old\\ ""web"""')
    const pool = new pg.Pool({ connectionString: url.href })
    try {
      const key = await (await new OriginalSide(pool).open(null)).getNewCookie()
      const found = { id: '', secretHashes: [Buffer.from(key)] }
      expect((await storeOn(database.url, { schema: 'Old "web"' }).load(found)).status).toBe('live')
    } finally {
      await pool.end()
    }
  })

  it('get the index that the original fails to make outside of public', async () => {
    const database = await scratchDatabase()
    await database.query(
      `create schema web; set search_path to web; ${originalStart.slice(0, 2).join(';')}`,
    )
    await storeOn(database.url, { schema: 'web' }).ready()
    expect((await readCatalog(database, 'web')).map(({ name }) => name)).toContain(
      'idx_session_last_access',
    )
  })

  it('are made once by many at once, starts of the original among them', async () => {
    for (let round = 0; round < 5; round += 1) {
      const database = await scratchDatabase()
      const start = async (): Promise<void> => {
        for (const sql of originalStart) await database.query(sql)
      }
      const originals = [start(), start()].map((it) => it.catch(() => 'fails, as it may there'))
      const ours = Array.from({ length: 6 }, () => storeOn(database.url).ready())
      await Promise.all([...ours, ...originals])
      const names = (await readCatalog(database, 'public')).map(({ name }) => name)
      expect(names).toContain('idx_session_last_access')
      expect(names).toContain('wai_pg_session_data_wai_pg_session_fkey')
    }
  })

  it('that are missing are told of, with the schema that was looked in', async () => {
    const database = await scratchDatabase()
    for (const migrate of ['check', 'off'] as const) {
      const store = storeOn(database.url, { schema: 'web', migrate })
      if (migrate === 'check') {
        await expect(store.ready()).rejects.toMatchObject({ code: 'ERR_SCHEMA_MISSING' })
      }
      await expect(store.load(proof)).rejects.toThrow("not in schema 'web'")
    }
    await storeOn(database.url, { schema: 'web' }).ready()
    await storeOn(database.url, { schema: 'web', migrate: 'check' }).ready()
  })

  it.each<[string, string, string]>([
    [
      'another table of sessions',
      'create table wai_pg_sessions (sid text primary key, sess json not null)',
      'wai_pg_sessions has no column id; wai_pg_sessions has no column session_key',
    ],
    [
      'keys of another type',
      `${originalStart.slice(0, 2).join(';')}; alter table wai_pg_sessions alter session_key type uuid using session_key::uuid`,
      'wai_pg_sessions.session_key is uuid, not character varying',
    ],
    [
      'times of another type',
      `${originalStart.slice(0, 2).join(';')}; alter table wai_pg_sessions alter session_last_access type timestamptz using now()`,
      'wai_pg_sessions.session_last_access is timestamp with time zone, not bigint',
    ],
    [
      'entries that are not unique',
      `${originalStart.slice(0, 2).join(';')}; alter table wai_pg_session_data drop constraint wai_pg_session_data_wai_pg_session_key_key`,
      'wai_pg_session_data has no unique (wai_pg_session, key)',
    ],
    [
      'a further column that must have a value',
      `${originalStart.slice(0, 2).join(';')}; alter table wai_pg_sessions add tenant text not null`,
      'wai_pg_sessions has a further column tenant that must have a value',
    ],
  ])(
    'that only have the names of the original are told from its own: %s',
    async (_, sql, fault) => {
      const database = await scratchDatabase()
      await database.query(sql)
      const before = await readCatalog(database, 'public')
      for (const migrate of ['auto', 'check'] as const) {
        await expect(storeOn(database.url, { migrate }).ready()).rejects.toThrow(
          `are not those of wai-session-postgresql: ${fault}`,
        )
      }
      expect(await readCatalog(database, 'public'), 'untouched').toEqual(before)
    },
  )

  it('may not be made by a role without rights: it is told what to do, and works once they are there', async () => {
    const database = await scratchDatabase()
    const { role, url } = await scratchRole(database)
    await expect(storeOn(url, { schema: 'web' }).ready()).rejects.toMatchObject({
      code: 'ERR_SCHEMA_MISSING',
      message: expect.stringContaining('as a role that may'),
    })
    await storeOn(database.url, { schema: 'web' }).ready()
    await database.query(
      `grant usage on schema web to ${role}; grant all on all tables in schema web to ${role}`,
    )
    const store = storeOn(url, { schema: 'web' })
    await store.ready()
    expect((await store.load(proof)).status).toBe('unknown')
  })

  it('need no right to create when only the index is missing, as the original leaves them in a schema of their own', async () => {
    const database = await scratchDatabase()
    const { role, url } = await scratchRole(database)
    await storeOn(database.url).ready()
    await database.query(
      `drop index idx_session_last_access;
       grant select on all tables in schema public to ${role}`,
    )
    const store = storeOn(url)
    await store.ready()
    expect((await store.load(proof)).status).toBe('unknown')
  })

  it('may have lost their constraints: a null flag is none, and any number is a time', async () => {
    const database = await scratchDatabase()
    const store = storeOn(database.url)
    await store.ready()
    await database.query(
      `alter table wai_pg_sessions alter session_invalidate_key drop not null;
       insert into wai_pg_sessions (session_key, session_created_at, session_last_access, session_invalidate_key)
       values (repeat('a', 48), -9223372036854775808, 9223372036854775807, null)`,
    )
    const found = await store.load(proof)
    expect(found).toMatchObject({ status: 'live', record: { createdAt: 0, expiresAt: 8.64e15 } })
    const id = found.status === 'live' ? found.record.id : ''
    expect((await store.destroy({ ...proof, id })).status).toBe('ended')
  })

  it('serve a load, a touch and a save by key and id, and a purge by the last access', async () => {
    const database = await scratchDatabase()
    await storeOn(database.url).ready()
    await database.query(
      `insert into wai_pg_sessions (session_key, session_created_at, session_last_access)
       select md5(n::text), n, n from generate_series(1, 5000) n; analyze wai_pg_sessions`,
    )
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const plans: string[] = []
    const explain = async (text: string, values: readonly (string | null)[]): Promise<void> => {
      const { rows } = await client.query(`explain ${text}`, [...values])
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
    }
    const store = new WaiStore({
      driver: {
        name: 'explaining',
        query: async ({ text, values }) => {
          await explain(text, values)
          return (await client.query(text, [...values])).rows
        },
        withConnection: () => Promise.reject(new Error('nothing to create')),
      },
      timeout: '1h',
      migrate: 'off',
    })
    try {
      await store.load(proof)
      await store.touch({ id: '7', lifetime: { idle: 1, purge: 1 } })
      const lifetime = { idle: 1, purge: 1 }
      await store.save({ id: '7', userId: null, lifetime, written: [], deleted: [] })
      await store.purge(5)
      const [load, touch, save, purge] = plans
      expect(load).toContain('wai_pg_sessions_session_key')
      expect(load).toContain('wai_pg_session_data_wai_pg_session_key_key')
      for (const plan of [touch, save]) {
        expect(plan).toContain('wai_pg_sessions_pkey')
        expect(plan).not.toContain('idx_session_last_access')
      }
      expect(purge).toContain('idx_session_last_access')
      for (const plan of plans) expect(plan).not.toContain('Seq Scan on wai_pg_sessions')
    } finally {
      await client.end()
    }
  })
})
