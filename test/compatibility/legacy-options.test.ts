import pg from 'pg'
import { PgSessionStore } from 'pg-sessions/express-session'
import { afterAll, describe, expect, test } from 'vitest'
import { withoutFormerNames } from '../../src/compatibility/by-sid/legacy-options.ts'

const pool = new pg.Pool()
afterAll(() => pool.end())

/** What a JavaScript application may pass. */
const make = (options: object): PgSessionStore =>
  new PgSessionStore({ pool, log: false, ...options })

describe('options of connect-pg-simple that mean the same are taken', () => {
  test.each<[object, object]>([
    [{ ttl: 3600 }, { idleTimeout: '3600s' }],
    [{ pruneSessionInterval: 60 }, { purgeInterval: '60s' }],
    [{ pruneSessionInterval: false }, { purgeInterval: 'never' }],
    [{ createTableIfMissing: true }, { migrate: 'auto' }],
    [{ createTableIfMissing: false }, { migrate: 'check' }],
    [{ disableTouch: false }, {}],
    [{ pruneSessionRandomizedInterval: undefined, ttl: undefined }, {}],
  ])('%j', (former, now) => {
    expect(withoutFormerNames('x', former)).toEqual(now)
    expect(() => make(former)).not.toThrow()
  })
})

describe('the others are refused with the name that they have here', () => {
  test.each<[object, string]>([
    [{ conString: 'postgres://root:hunter2@db/app' }, 'pool: new Pool({ connectionString })'],
    [{ conObject: { password: 'hunter2' } }, 'pool: new Pool(conObject)'],
    [{ pgPromise: {} }, 'pool: db.$pool'],
    [{ tableName: 'session' }, "fallback: { table: '<tableName>' }"],
    [{ schemaName: 'web' }, "fallback: { schema: '<schemaName>', table: '<tableName>' }"],
    [{ errorLog: () => {} }, 'log: console'],
    [{ disableTouch: true }, 'absoluteTimeout'],
    [{ pruneSessionRandomizedInterval: false }, 'Leave it out'],
    [{ ttl: 0 }, "idleTimeout: '1d'"],
    [{ ttl: () => 60 }, "idleTimeout: '1d'"],
    [{ pruneSessionInterval: -1 }, "purgeInterval: '15m'"],
    [{ ttl: 60, idleTimeout: '1m' }, 'Leave ttl out'],
    [{ fallback: 'session' }, 'fallback must be an object with schema, store, table, timeZone'],
    [
      { fallback: { tableName: 'session' } },
      'fallback has no option "tableName". Its options are schema, store, table, timeZone.',
    ],
  ])('%j', (options, instead) => {
    expect(() => make(options)).toThrow(instead)
    expect(() => make(options)).toThrow(expect.objectContaining({ code: 'ERR_CONFIGURATION' }))
    expect(() => make(options)).not.toThrow(/hunter2/)
  })
})
