import pg from 'pg'
import { type FaultProxy, startFaultProxy } from 'pg-sessions/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type FixtureServer, startFixtureServer } from '../support/fixture-server.ts'
import { type FixtureProcesses, startTwoProcesses } from '../support/fixture-server-processes.ts'
import { HttpVisitor } from '../support/fixture-server-visitor.ts'

/** Promise 2: an acknowledged save is seen by every request that starts after it, on every process. */

describe('on two processes', () => {
  let processes: FixtureProcesses
  beforeAll(async () => {
    processes = await startTwoProcesses()
  })
  afterAll(() => processes.stop())

  it('what one process has answered, the other one knows, round after round', async () => {
    const visitors = Array.from({ length: 10 }, () => processes.visitor())
    await Promise.all(
      visitors.map(async (visitor) => {
        for (let round = 1; round <= 10; round += 1) {
          await visitor.post(`/do/set/round/${round}`)
          await visitor.post('/do/increment/n')
          expect((await visitor.session()).data).toEqual({ round: String(round), n: round })
        }
      }),
    )
  })

  it('a token that one process has replaced is dead on the other, a new one alive', async () => {
    const ann = processes.visitor()
    await ann.post('/do/set/a/1')
    for (const action of ['rotate', 'sign-in/ann', 'clear', 'sign-in/bob', 'rotate']) {
      const old = ann.twin()
      await ann.post(`/do/${action}`)
      for (const process of [0, 1]) {
        expect((await old.at(process).session()).id, action).toBeNull()
        expect((await ann.at(process).session()).id, action).not.toBeNull()
      }
    }
  })
})

describe('a redirect that follows a change', () => {
  let database: TestDatabase
  let proxy: FaultProxy
  let slow: FixtureServer
  let fast: FixtureServer
  beforeAll(async () => {
    database = await createTestDatabase()
    proxy = await startFaultProxy(database.url)
    slow = await startFixtureServer(proxy.url)
    fast = await startFixtureServer(database.url)
    await fast.sessions.ready()
    await slow.sessions.ready()
  })
  afterAll(async () => {
    await Promise.all([slow.stop(), fast.stop()])
    await proxy.close()
    await database.drop()
  })

  /** Follows the redirect to a server that is as fast as can be. */
  async function follow(visitor: HttpVisitor, path: string): Promise<Record<string, unknown>> {
    const { status, headers } = await visitor.post(path)
    expect([status, headers.get('location')]).toEqual([303, '/session'])
    return (await new HttpVisitor([fast.url], visitor.token).session()).data
  }

  it('finds the value though each save takes 200 ms', async () => {
    await proxy.delay(100)
    const ann = new HttpVisitor([slow.url])
    expect(await follow(ann, '/redirect/set/first/1')).toEqual({ first: '1' })
    expect(await follow(ann, '/redirect/set/second/2')).toEqual({ first: '1', second: '2' })
    expect(await follow(ann, '/redirect/delete/first')).toEqual({ second: '2' })
    expect(await follow(ann, '/redirect/increment/n')).toEqual({ second: '2', n: 1 })
    expect(await follow(ann, '/redirect/sign-in/ann')).toEqual({ second: '2', n: 1 })
    expect(await follow(ann, '/redirect/sign-in/bob')).toEqual({})
    await proxy.pass()
  })

  it('does not leave before the save is done, however long that takes', async () => {
    const ann = new HttpVisitor([fast.url])
    await ann.post('/do/set/a/1')
    const { id } = await ann.session()
    const locker = new pg.Client({ connectionString: database.url })
    await locker.connect()
    await locker.query('begin')
    await locker.query('select from sessions.session where id = $1 for update', [id])

    let isAnswered = false
    const answer = ann.post('/redirect/set/a/2').finally(() => {
      isAnswered = true
    })
    const waiting = `select count(*)::int as n from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`
    await expect.poll(() => database.query(waiting)).toEqual([{ n: 1 }])
    expect(isAnswered).toBe(false)
    await locker.query('commit')
    await locker.end()
    expect((await answer).status).toBe(303)
    expect((await ann.session()).data).toEqual({ a: '2' })
  })
})
