import { PostgresStore } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { fromPglite } from 'pg-sessions/pglite'
import { storeContract, type TestRunner } from 'pg-sessions/testing'
import { afterAll, beforeAll } from 'vitest'
import { openPglite } from '../support/pglite.ts'

/** A client of some kind, and what a test needs of it beside the driver. */
export interface Opened {
  readonly driver: Driver
  close(): Promise<void>
}

export async function openOnPglite(): Promise<Opened> {
  const db = await openPglite()
  return { driver: fromPglite(db), close: () => db.close() }
}

const TIMES = [
  'created_at',
  'authenticated_at',
  'last_access_at',
  'token_issued_at',
  'expires_at',
  'absolute_expires_at',
  'purge_at',
  'previous_until',
  'elevated_at',
]

/** Declares the store contract for `PostgresStore` on one client. */
export function storeContractOver(open: () => Promise<Opened>, runner: TestRunner): void {
  let opened: Opened

  const run = (sql: string): Promise<void> =>
    opened.driver.withConnection((connection) => connection.run(sql))

  beforeAll(async () => {
    opened = await open()
    await new PostgresStore({ driver: opened.driver, deadline: '30s' }).ready()
  })

  afterAll(() => opened.close())

  storeContract(runner, async () => {
    await run('delete from sessions.session')
    // A single connection takes calls in turn, so many at once take longer than they would on a pool.
    const store = new PostgresStore({ driver: opened.driver, migrate: 'off', deadline: '20s' })
    const elapse = (milliseconds: number) =>
      run(
        `update sessions.session set ${TIMES.map((time) => `${time} = ${time} - ${milliseconds} * interval '1 ms'`).join(', ')}`,
      )
    return { store, elapse, dispose: () => store.close() }
  })
}
