import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { expect, test } from 'vitest'
import { bundledProgram } from '../support/bundled-program.ts'
import { createTestDatabase } from '../support/database.ts'

/** Acknowledgements after which the application dies. */
const ENOUGH = 200

test('what an application has acknowledged before it is killed is there afterwards', async () => {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url })
  const sessions = createSessions<{ count: number }>({ database: fromPg(pool), log: false })
  await sessions.ready()

  const program = await bundledProgram('test/faults/acknowledging-process.ts')
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const counted = new Map<string, number>()
  const ended = new Set<string>()
  let acknowledged = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, cookie = '', count] = line.split(' ')
    if (what === 'ended') ended.add(cookie)
    else counted.set(cookie, Number(count))
    acknowledged += 1
    if (acknowledged === ENOUGH) child.kill('SIGKILL')
  }
  await closed
  expect(acknowledged).toBeGreaterThanOrEqual(ENOUGH)
  expect(ended.size).toBeGreaterThan(0)

  for (const [cookie, count] of counted) {
    const { session } = sessions.open(cookie)
    const stored = await session.get('count')
    if (ended.has(cookie)) expect(stored).toBeUndefined()
    // The process may have died between the end of a change and its acknowledgement.
    else if (stored !== undefined) expect([count, count + 1]).toContain(stored)
    else expect(count).toBe(2)
  }
  await sessions.close()
  await pool.end()
  await database.drop()
})
