import type { Driver, Row } from 'pg-sessions/driver'
import { fromPg } from 'pg-sessions/pg'
import { expect, it } from 'vitest'
import { eventsOf, holds, shareDatabase } from './shared-database.ts'

/** The tables end a session and the answer gets lost: the caller is told what has happened all the same. */

const shared = shareDatabase()

/** A driver that loses the first answer to the end of a session. */
function losing(): Driver {
  const driver = fromPg(shared.pool)
  let isDue = true
  return {
    ...driver,
    async query(statement, options): Promise<readonly Row[]> {
      const rows = await driver.query(statement, options)
      if (!isDue || !statement.name.includes('wai_destroy')) return rows
      isDue = false
      throw new Error('the answer got lost')
    },
    explain: (error) =>
      error instanceof Error && error.message === 'the answer got lost'
        ? { kind: 'lost', outcome: 'unknown', reason: error.message }
        : driver.explain?.(error),
  }
}

async function begun(): Promise<{ key: string; id: string }> {
  const ann = shared.visitor()
  await ann.visit((session) => session.set('a', '1'))
  const [row] = await shared.rows()
  return { key: ann.token ?? '', id: row?.id ?? '' }
}

it('destroyById says that it has ended the session', async () => {
  const { key, id } = await begun()
  const sessions = shared.sessions({ database: losing() })
  const told = eventsOf(sessions, ['destroyed'])
  expect(await sessions.destroyById(id)).toBe(true)
  expect(told).toEqual(['destroyed'])
  expect(await holds(shared.visitor(key))).toEqual({})
})

it('destroyById of a session that was gone before says that there was none', async () => {
  const { id } = await begun()
  expect(await shared.sessions().destroyById(id)).toBe(true)
  expect(await shared.sessions({ database: losing() }).destroyById(id)).toBe(false)
})

it('a request that ends its session tells of it', async () => {
  const { key } = await begun()
  const sessions = shared.sessions({ database: losing() })
  const told = eventsOf(sessions, ['destroyed'])
  const exchange = sessions.open(`__Host-id=${key}`)
  exchange.session.destroy()
  await exchange.commit()
  expect(told).toEqual(['destroyed'])
  expect(await shared.rows()).toEqual([])
})
