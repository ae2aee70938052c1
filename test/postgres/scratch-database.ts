import { Pool } from 'pg'
import { onTestFinished } from 'vitest'
import { fromPg } from '../../src/drivers/pg.ts'
import type { Driver } from '../../src/postgres/driver.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** An empty database for the test that asks. */
export async function scratchDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  return database
}

/** A driver over a pool of its own, each of whose connections starts with these server settings. */
export function connect(url: string, settings: Record<string, string> = {}): Driver {
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
  const pool = new Pool({ connectionString: url, options: options.join(' ') })
  onTestFinished(() => pool.end())
  return fromPg(pool)
}

/** A role that may log in and nothing else, with its connection string. */
export async function scratchRole(database: TestDatabase): Promise<{ role: string; url: string }> {
  const url = new URL(database.url)
  const role = `role_${url.pathname.slice('/test_'.length)}`
  await database.query(`create role ${role} login password 'for-a-test'`)
  onTestFinished(async () => {
    await database.query(`drop owned by ${role}; drop role ${role}`)
  })
  url.username = role
  url.password = 'for-a-test'
  return { role, url: url.href }
}
