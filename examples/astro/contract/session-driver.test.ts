import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Pool } from 'pg'
import { createSessions, MemoryStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import type { RunningApplication, Script } from 'pg-sessions/testing'
import { openApplication } from './application.ts'
import './parts.ts'

let application: RunningApplication
let pool: Pool

before(async () => {
  pool = new Pool({ connectionString: process.env.DATABASE_URL })
  globalThis.driverDatabase = fromPg(pool)
  const sessions = createSessions({ store: new MemoryStore(), log: false })
  const script: Pick<Script, 'errorPage'> = {
    errorPage: () => ({ status: 500, text: 'error page' }),
  }
  application = await openApplication({ sessions, others: sessions, script: script as Script })
})

after(async () => {
  await application.close()
  await pool.end()
})

/** A browser that keeps the cookie of Astro's session. */
class Visitor {
  cookie: string

  constructor(cookie = '') {
    this.cookie = cookie
  }

  async ask(path: string): Promise<unknown> {
    const url = new URL(`/theirs/${path}`, application.origin)
    const answer = await fetch(url, { headers: { cookie: this.cookie }, redirect: 'manual' })
    const [line] = answer.headers.getSetCookie()
    if (line !== undefined) this.cookie = line.replace(/;.*/, '')
    const location = answer.headers.get('location')
    if (location !== null) return this.ask(location.replace('/theirs/', ''))
    assert.equal(answer.status, 200)
    return answer.json()
  }

  twin(): Visitor {
    return new Visitor(this.cookie)
  }
}

describe('Astro.session with astroSessionDriver', () => {
  it('is found again, also by a redirect', async () => {
    const visitor = new Visitor()
    assert.deepEqual(await visitor.ask('set?a=1&redirect='), { a: '1', redirect: '' })
    assert.deepEqual(await visitor.ask('delete?key=a'), { redirect: '' })
    assert.deepEqual(await visitor.ask('read'), { redirect: '' })
    assert.deepEqual(await new Visitor().ask('read'), {})
  })

  it('keeps dates, URLs, maps, sets and bigints, also when another key is saved', async () => {
    const visitor = new Visitor()
    await visitor.ask('rich')
    await visitor.ask('set?a=1')
    await visitor.ask('isRich')
    const { isRich } = (await visitor.ask('read')) as { isRich: boolean }
    assert.equal(isRich, true)
  })

  it('keeps what 50 parallel requests set, each another key', async () => {
    const visitor = new Visitor()
    await visitor.ask('set?first=1')
    const keys = Array.from({ length: 50 }, (_, index) => `key${index}`)
    await Promise.all(keys.map((key) => visitor.twin().ask(`set?${key}=1`)))
    const expected = Object.fromEntries(['first', ...keys].map((key) => [key, '1']))
    assert.deepEqual(await visitor.ask('read'), expected)
  })

  it('stays ended when a request that has read it is slow', async () => {
    const visitor = new Visitor()
    await visitor.ask('set?first=1')
    const twin = visitor.twin()
    let goOn = (): void => undefined
    const gate = new Promise<void>((pass) => {
      goOn = pass
    })
    const reached = new Promise<void>((reach) => {
      globalThis.slowRequest = () => {
        reach()
        return gate
      }
    })
    const slow = visitor.twin().ask('slow')
    await reached
    await visitor.ask('destroy')
    goOn()
    await slow
    assert.deepEqual(await twin.ask('read'), {})
  })

  it('has a new id after regenerate, and the old one is dead', async () => {
    const visitor = new Visitor()
    await visitor.ask('set?a=1')
    const planted = visitor.twin()
    await visitor.ask('regenerate')
    assert.notEqual(visitor.cookie, planted.cookie)
    assert.deepEqual(await visitor.ask('read'), { a: '1' })
    assert.deepEqual(await planted.ask('read'), {})
  })

  it('is stored without the id that the cookie has, and without what comes and goes with it', async () => {
    const visitor = new Visitor()
    await visitor.ask('set?a=1')
    await visitor.ask('set?b=1')
    const id = visitor.cookie.replace('astro-session=', '')
    assert.match(id, /^[0-9a-f-]{36}$/)
    const { rows } = await pool.query(
      `select s::text || coalesce(convert_from(d.key, 'UTF8') || convert_from(d.value, 'UTF8'), '') as line
       from sessions.session s left join sessions.session_data d on d.session_id = s.id`,
    )
    const dump = rows.map(({ line }) => line).join('\n')
    assert.match(dump, /"data"/)
    assert.ok(!dump.includes(id))
    assert.ok(!dump.includes('pg-sessions'))
  })
})
