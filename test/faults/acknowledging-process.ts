/** Changes sessions as fast as it can, and writes down each change once it is acknowledged, until it is killed. */
import { writeSync } from 'node:fs'
import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL ?? '', max: 8 })
const sessions = createSessions<{ count: number }>({ database: fromPg(pool), log: false })

/** At once, whatever happens next: what is in a buffer dies with the process. */
const acknowledge = (...words: (string | number)[]) => writeSync(1, `${words.join(' ')}\n`)

async function begin(): Promise<string> {
  const exchange = sessions.open(null)
  exchange.session.set('count', 0)
  const { setCookies } = await exchange.commit()
  return setCookies[0]?.split(';')[0] ?? ''
}

async function count(cookie: string, last: number): Promise<void> {
  for (let n = 1; n <= last; n++) {
    await sessions.open(cookie).session.update('count', (before = 0) => before + 1)
    acknowledge('counted', cookie, n)
  }
}

async function live(): Promise<never> {
  for (;;) {
    const cookie = await begin()
    acknowledge('counted', cookie, 0)
    await count(cookie, 5)
    const doomed = await begin()
    await count(doomed, 2)
    await sessions.open(doomed).session.signOut()
    acknowledge('ended', doomed, 0)
  }
}

await Promise.all(Array.from({ length: 6 }, live))
