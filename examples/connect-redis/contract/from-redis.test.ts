import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import {
  type Application,
  type Held,
  login,
  post,
  read,
  startNew,
  startOld,
} from './application.ts'
import { finish, pgSessions, start } from './command-line.ts'
import { isInstalled, type RedisServer, startRedis } from './redis-server.ts'

/** `SESSIONS=10000` for the whole test of a switch. */
const SESSIONS = Number(process.env.SESSIONS ?? 300)
/** How many users are active at the same time. */
const ACTIVE = 32

const skip = isInstalled() ? false : 'redis-server is not installed'
if (skip) console.log(`skipped: ${skip}`)

describe('from connect-redis', { skip, timeout: 900_000 }, () => {
  let redis: RedisServer
  let pool: Pool
  let old: Application

  before(async () => {
    redis = await startRedis()
    pool = new Pool({ connectionString: process.env.DATABASE_URL })
    assert.equal((await pgSessions(['migrate'])).status, 0)
    old = await startOld(redis.url)
  })

  after(async () => {
    await old.close()
    await pool.end()
    await redis.stop()
  })

  beforeEach(async () => {
    await redis.send('FLUSHALL')
    await pool.query('delete from sessions.session')
  })

  it('moves all sessions by the command line, with their data and lifetimes', async () => {
    const cookies = await signInMany(20)
    const [key = ''] = (await redis.send('KEYS', 'sess:*')) as string[]
    await redis.send('SET', 'other:key', 'stays')
    await redis.send('SET', 'sess:broken', 'no JSON')
    await redis.send('PEXPIRE', key, '60000')
    const rehearsal = await pgSessions(['import', 'redis', '--dry-run'], { redisUrl: redis.url })
    assert.match(rehearsal.output, /Would move 20 sessions of connect-redis/)
    assert.equal(await liveSessions(), 0)
    const run = await pgSessions(['import', 'redis'], { redisUrl: redis.url })
    assert.equal(run.status, 0, run.output)
    assert.match(run.output, /Moved 20 sessions of connect-redis/)
    assert.match(run.output, /Left 1 row that cannot be a session here: no JSON object/)
    assert.deepEqual(((await redis.send('KEYS', '*')) as string[]).sort(), [
      'other:key',
      'sess:broken',
    ])
    const { rows } = await pool.query(`select expires_at - now() < interval '61 s' as is_short
      from sessions.session where expires_at > now()`)
    assert.equal(rows.filter(({ is_short: isShort }) => isShort).length, 1)
    const switched = await startNew(redis.url)
    for (const [user, cookie] of cookies) assertHeld(await read(switched, cookie), user)
    await switched.close()
    const again = await pgSessions(['import', 'redis'], { redisUrl: redis.url })
    assert.match(again.output, /Moved 0 sessions/)
  })

  it('goes on after it was killed, and brings nothing back that has ended', async () => {
    const cookies = await signInMany(200)
    const args = ['import', 'redis', '--batch-size', '5']
    const child = start(args, { redisUrl: redis.url })
    await until(async () => (await liveSessions()) > 20)
    child.kill('SIGKILL')
    await finish(child)
    const switched = await startNew(redis.url)
    const [[user = '', cookie = ''] = []] = cookies
    assertHeld(await read(switched, cookie), user)
    await post(switched, '/logout', cookie)
    const run = await pgSessions(args, { redisUrl: redis.url })
    assert.equal(run.status, 0, run.output)
    assert.equal(await liveSessions(), 199)
    assert.deepEqual(await read(switched, cookie), {})
    for (const [user, cookie] of cookies.slice(1)) assertHeld(await read(switched, cookie), user)
    await switched.close()
  })

  it('takes ioredis where redis is not installed, and says so where neither is', async () => {
    await signInMany(3)
    const neither = mkdtempSync(join(tmpdir(), 'pg-sessions-'))
    const withIoredis = mkdtempSync(join(tmpdir(), 'pg-sessions-'))
    for (const [folder, packages] of [
      [neither, ['pg']],
      [withIoredis, ['pg', 'ioredis']],
    ] as const) {
      mkdirSync(join(folder, 'node_modules'))
      for (const name of packages) {
        const target = realpathSync(
          fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url)),
        )
        symlinkSync(target, join(folder, 'node_modules', name))
      }
    }
    const without = await pgSessions(['import', 'redis'], { redisUrl: redis.url, cwd: neither })
    assert.match(without.output, /Neither redis nor ioredis/)
    const run = await pgSessions(['import', 'redis'], { redisUrl: redis.url, cwd: withIoredis })
    assert.match(run.output, /Moved 3 sessions/)
    for (const folder of [neither, withIoredis]) rmSync(folder, { recursive: true })
  })

  it('says why Redis cannot be asked, without its password', async () => {
    const wrong = redis.url.replace('secret', 'guessed-wrong')
    const gone = 'redis://:guessed-wrong@127.0.0.1:1'
    for (const [redisUrl, reason] of [
      [wrong, /WRONGPASS|NOAUTH/],
      [gone, /ECONNREFUSED/],
    ] as const) {
      const run = await pgSessions(['import', 'redis', '--timeout', '5s'], { redisUrl })
      assert.equal(run.status, 1)
      assert.match(run.output, reason)
      assert.doesNotMatch(run.output, /guessed-wrong/)
    }
  })

  it(`switches ${SESSIONS} live sessions over under load, and signs no user out`, {
    timeout: 900_000,
  }, async () => {
    const cookies = await signInMany(SESSIONS)
    const processes = [await startNew(redis.url), await startNew(redis.url)]
    const importing = pgSessions(['import', 'redis', '--batch-size', '50'], {
      redisUrl: redis.url,
    })
    const leavers = new Set<string>()
    await inParallel(cookies, async ([user, cookie], index) => {
      const [one, other] = index % 2 === 0 ? processes : processes.toReversed()
      if (one === undefined || other === undefined) return
      assertHeld(await read(one, cookie), user)
      await Promise.all([
        post(one, '/note/a', cookie),
        post(other, '/note/b', cookie),
        read(other, cookie).then((held) => assertHeld(held, user)),
      ])
      if (index % 10 !== 0) return
      leavers.add(user)
      await post(other, '/logout', cookie)
    })
    const { status, output } = await importing
    assert.equal(status, 0, output)
    let lost = 0
    await inParallel(cookies, async ([user, cookie], index) => {
      const held = await read(processes[index % 2] as Application, cookie)
      if (leavers.has(user)) assert.deepEqual(held, {})
      else if (held['note-a'] !== true || held['note-b'] !== true) lost += 1
      if (!leavers.has(user)) assertHeld(held, user)
    })
    assert.equal(lost, 0)
    assert.deepEqual(await redis.send('KEYS', 'sess:*'), [])
    assert.equal(await liveSessions(), SESSIONS - leavers.size)
    for (const application of processes) await application.close()
  })

  async function signInMany(count: number): Promise<(readonly [user: string, cookie: string])[]> {
    const users = Array.from({ length: count }, (_, index) => `user${index}`)
    const cookies: (readonly [string, string])[] = []
    await inParallel(users, async (user) => {
      cookies.push([user, await login(old, user)])
    })
    return cookies
  }

  async function liveSessions(): Promise<number> {
    const { rows } = await pool.query(
      'select count(*)::int as live from sessions.session where expires_at > now()',
    )
    return rows[0].live
  }
})

function assertHeld(held: Held, user: string): void {
  assert.equal(held.user, user)
  assert.deepEqual(held.basket, [`of ${user}`])
}

async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) await work(item, index)
  }
  await Promise.all(Array.from({ length: ACTIVE }, worker))
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}
