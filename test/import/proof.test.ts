import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { jsonCodec } from '../../src/codec/json-codec.ts'
import { sidIdentity } from '../../src/compatibility/by-sid/sid-identity.ts'
import { ConnectPgSimpleSource } from '../../src/import/connect-pg-simple/connect-pg-simple-source.ts'
import { ConnectPgSimpleFallback } from '../../src/import/connect-pg-simple/fallback.ts'
import { readOldTables } from '../../src/import/connect-pg-simple/find-old-tables.ts'
import { resolveOldTable } from '../../src/import/connect-pg-simple/old-table.ts'
import { WaiFallback } from '../../src/import/haskell/wai-fallback.ts'
import { mapperOf } from '../../src/import/haskell/wai-mapping.ts'
import { importSessions } from '../../src/import/import-sessions.ts'
import type { Driver } from '../../src/postgres/driver.ts'
import { StatementRunner } from '../../src/postgres/statement-runner.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { type Damage, damages, damagingDriver } from '../postgres/damaging-driver.ts'
import { type OriginalService, openOriginalService } from './haskell/original-service.ts'
import { type OldApplication, openOldApplication } from './old-application.ts'

/*
 * An import and a move at first use believe no answer that is not theirs. What such an answer leaves in doubt
 * is either there or here, and the next try finds it.
 */

const DAY = 86_400_000
const names = resolveTableNames()
const reading = { identify: sidIdentity, codec: jsonCodec, userId: null, ttl: DAY }
const shared = { names, deadline: 5000, absoluteTimeout: Number.POSITIVE_INFINITY }

let old: OldApplication
let original: OriginalService
beforeAll(async () => {
  old = await openOldApplication()
  original = await openOriginalService()
  for (const { pool } of [old, original]) {
    const store = new PostgresStore({ driver: fromPg(pool) })
    await store.ready()
    await store.close()
  }
})
beforeEach(async () => {
  await old.pool.query('delete from session; delete from sessions.session')
  await original.pool.query('delete from wai_pg_sessions; delete from sessions.session')
})
afterAll(() => Promise.all([old.dispose(), original.dispose()]))

const fallbackOn = (driver: Driver): ConnectPgSimpleFallback =>
  new ConnectPgSimpleFallback({
    ...shared,
    ...reading,
    driver,
    ready: async () => {},
    table: {},
    idleTimeout: DAY,
    onUnreadable: () => {},
  })

const waiFallbackOn = (driver: Driver): WaiFallback =>
  new WaiFallback({ ...shared, driver, schema: 'public', timeout: 3_600_000, map: mapperOf({}) })

describe.each(damages)('an answer that %s', (_, damage) => {
  const unavailable = { code: 'ERR_STORE_UNAVAILABLE' }

  test('moves no session of connect-pg-simple by mistake', async () => {
    await old.save('sid', { user: 'ann' })
    const { driver, refused } = damagingDriver(fromPg(old.pool), damage)
    const importing = importSessions({
      names,
      runner: new StatementRunner(driver, 5000),
      source: new ConnectPgSimpleSource(resolveOldTable(), reading),
    })
    await expect(importing).rejects.toMatchObject(unavailable)
    await expect(fallbackOn(driver).adopt('sid')).rejects.toMatchObject(unavailable)
    await expect(fallbackOn(driver).forget('other')).rejects.toMatchObject(unavailable)
    await expect(readOldTables(driver, 5000)).rejects.toMatchObject(unavailable)
    expect(refused.length).toBeGreaterThan(3)
    expect(await fallbackOn(fromPg(old.pool)).adopt('sid')).toBe(true)
  })

  test('moves no session of wai-session-postgresql by mistake', async () => {
    const key = await original.begin({ user: 'ann' })
    const { driver } = damagingDriver(fromPg(original.pool), damage)
    await expect(waiFallbackOn(driver).adopt(key)).rejects.toMatchObject(unavailable)
    expect(await waiFallbackOn(fromPg(original.pool)).adopt(key)).toMatchObject({
      status: 'adopted',
    })
  })

  test('rolls a move back that is a transaction of its own', async () => {
    const key = await original.begin({ user: 'ann' })
    const { driver } = damageMoves(fromPg(original.pool), damage)
    await expect(waiFallbackOn(driver).adopt(key)).rejects.toMatchObject(unavailable)
    expect(await original.keys()).toEqual([key])
  })
})

/** Damages the answers of lent connections, on which the moves of `oneMoment` run. */
function damageMoves(driver: Driver, damage: Damage): { readonly driver: Driver } {
  const damaged = damagingDriver(driver, damage).driver
  return { driver: { ...damaged, query: driver.query.bind(driver) } }
}
