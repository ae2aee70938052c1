import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createSessions, type Sessions } from 'pg-sessions'
import { WebSocket, WebSocketServer } from 'ws'
import { type Line, lines, useNeonProxy } from '../lines.ts'

const url = process.env.DATABASE_URL ?? ''

/** Neon's client speaks PostgreSQL's protocol within a WebSocket. This stands in for Neon's end of it. */
const neon = new WebSocketServer({ port: 0, host: '127.0.0.1' })
before(async () => {
  await once(neon, 'listening')
  useNeonProxy(`127.0.0.1:${(neon.address() as AddressInfo).port}/v2`, WebSocket)
  const { hostname, port } = new URL(url)
  neon.on('connection', (socket) => {
    const server = connect({ host: hostname, port: Number(port || 5432) })
    socket.on('message', (bytes: Buffer) => server.write(bytes))
    socket.on('close', () => server.destroy())
    server.on('data', (bytes) => socket.send(bytes))
    server.on('close', () => socket.close())
    server.on('error', () => socket.close())
  })
})
after(() => {
  for (const socket of neon.clients) socket.terminate()
  neon.close()
})

interface Visitor {
  readonly id: string
  readonly cookie: string
}

async function signIn(sessions: Sessions): Promise<Visitor> {
  const exchange = sessions.open(null)
  await exchange.session.signIn('ann')
  const { setCookies } = await exchange.commit()
  return { id: String(exchange.session.id), cookie: setCookies[0]?.split(';')[0] ?? '' }
}

async function userOf(sessions: Sessions, { cookie }: Visitor): Promise<string | null> {
  const { session } = sessions.open(cookie)
  await session.load()
  return session.userId
}

for (const [name, open] of Object.entries(lines)) {
  describe(name, () => {
    let line: Line
    let sessions: Sessions
    const schema = `sessions_${name.replaceAll(/\W/g, '_').toLowerCase()}`
    before(async () => {
      line = await open(url)
      sessions = createSessions({ database: line.driver, schema, log: false })
      await sessions.ready()
    })
    after(async () => {
      await sessions.close()
      await line.close()
    })

    it('keeps sessions: 20 visitors at once, each finds their own', async () => {
      const visitors = await Promise.all(Array.from({ length: 20 }, () => signIn(sessions)))
      const users = await Promise.all(visitors.map((visitor) => userOf(sessions, visitor)))
      assert.deepEqual(users, Array(20).fill('ann'))
      assert.equal(await sessions.destroyByUser('ann'), 20)
    })

    it('tells of the end of a session', async () => {
      const { id } = await signIn(sessions)
      const ended = new Promise((resolve) => sessions.watch(id, resolve))
      await sessions.destroyById(id)
      assert.equal(await ended, 'gone')
    })

    it('ends sessions in its own transaction, at the commit, and not after a rollback', async () => {
      const { transaction } = line
      assert.ok(transaction)
      const visitor = await signIn(sessions)
      const undo = new Error('undo')
      const undone = transaction(async (tx) => {
        assert.equal(await sessions.in(tx).destroyByUser('ann'), 1)
        throw undo
      })
      await assert.rejects(undone, (error) => error === undo)
      assert.equal(await userOf(sessions, visitor), 'ann')
      await transaction(async (tx, run) => {
        await run('create table if not exists account (id text primary key, password text)')
        await sessions.in(tx).destroyByUser('ann')
        assert.equal(await sessions.in(tx).destroyById(visitor.id), false)
      })
      assert.equal(await userOf(sessions, visitor), null)
    })
  })
}
