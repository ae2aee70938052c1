import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { inject } from 'vitest'

/** A database of its own for one test or test file. */
export interface TestDatabase {
  /** A superuser's connection string. */
  readonly url: string
  /** Runs SQL as superuser on a connection of its own, beside whatever the test holds open. */
  query(sql: string): Promise<Record<string, unknown>[]>
  /**
   * Removes the database and cuts the clients that are still connected. Safe to call twice. On the run's own server the
   * removal itself goes on behind the tests that follow.
   */
  drop(): Promise<void>
}

/**
 * Creates an empty database on the server that all tests of this run share.
 *
 * @example
 * ```ts
 * const database = await createTestDatabase()
 * afterAll(() => database.drop())
 * ```
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await query(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    query: (sql) => query(url.href, sql),
    async drop() {
      await asSuperuser(serverUrl, (client) => cutOthers(client, name))
      const removed = remove(serverUrl, name)
      if (!inject('isOwnServer')) await removed
    },
  }
}

/** Waits a moment for clients that are closing: one that is cut has no listener left for the error. */
async function cutOthers(client: Client, name: string): Promise<void> {
  for (let look = 0; look < 10; look += 1) {
    const others = await client.query(`select from pg_stat_activity where datname = '${name}'`)
    if (others.rowCount === 0) return
    await pause(25)
  }
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
  )
}

let removals: Promise<unknown> = Promise.resolve()

/**
 * One after the other. PostgreSQL removes a database only once every other backend of the server has taken note, and
 * a backend that waits for its client's password does not, for up to a minute: a test that holds a connection there
 * would keep the tests of all workers waiting.
 */
function remove(serverUrl: string, name: string): Promise<unknown> {
  const removal = removals.then(() =>
    query(serverUrl, `drop database if exists ${name} with (force)`),
  )
  // The run may end, and its server with it, before everything is removed.
  removals = removal.catch(() => {})
  return removal
}

/** Runs SQL on a connection that lives only for it; of several statements, the last one's rows. */
function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  return asSuperuser(url, async (client) => {
    const answer: unknown = await client.query(sql)
    const last: unknown = Array.isArray(answer) ? answer.at(-1) : answer
    return (last as { rows: Record<string, unknown>[] }).rows
  })
}

async function asSuperuser<Result>(
  url: string,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
