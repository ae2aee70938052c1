import { once } from 'node:events'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type ChatServer, startChatServer } from './chat-servers.ts'

let database: TestDatabase
let near: ChatServer
let far: ChatServer

beforeAll(async () => {
  database = await createTestDatabase()
  near = await startChatServer(database)
  far = await startChatServer(database)
})
afterAll(async () => {
  // Whatever was watched, a server that closes its sessions can end.
  expect(await Promise.all([near?.stop(), far?.stop()])).toEqual([0, 0])
  await database?.drop()
})

interface Chat {
  say(message: string): Promise<string>
  /** Resolves with the code and the reason once the server closes it. */
  readonly closed: Promise<[number, string]>
}

/** Milliseconds from each sign-out until the other process has closed the socket, the shortest first. */
async function delays(
  rounds: number,
  open: (cookie: string) => Promise<{ readonly closed: Promise<unknown> }>,
): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const cookie = await near.visit('/sign-in')
    const { closed } = await open(cookie)
    const begin = performance.now()
    await near.visit('/sign-out', cookie)
    await closed
    times.push(performance.now() - begin)
  }
  return times.sort((a, b) => a - b)
}

async function join({ host }: ChatServer, cookie: string): Promise<Chat> {
  const socket = new WebSocket(`ws://${host}/chat`, { headers: { cookie } })
  const closed = once(socket, 'close').then(([code, reason]): [number, string] => [
    code,
    String(reason),
  ])
  await once(socket, 'message')
  return {
    closed,
    async say(message) {
      const answer = once(socket, 'message')
      socket.send(message)
      return String((await answer)[0])
    },
  }
}

describe('a WebSocket of ws', () => {
  it('is opened for those who are signed in', async () => {
    const cookie = await near.visit('/sign-in')
    const { say } = await join(far, cookie)
    expect(await say('hello')).toBe('heard')
  })

  it.each([
    ['a visitor without a cookie', async () => ''],
    [
      'a visitor who has signed out',
      async () => {
        const cookie = await near.visit('/sign-in')
        await near.visit('/sign-out', cookie)
        return cookie
      },
    ],
  ])('is refused to %s', async (_, visit) => {
    const headers = { cookie: await visit() }
    const socket = new WebSocket(`ws://${far.host}/chat`, { headers })
    await expect(once(socket, 'open')).rejects.toThrow('401')
  })

  it('closes when its user signs out in another process', async () => {
    const cookie = await near.visit('/sign-in')
    const { closed } = await join(far, cookie)
    await near.visit('/sign-out', cookie)
    expect(await closed).toEqual([4401, 'gone'])
  })

  it('closes within a second, also when it is one of many', async () => {
    const times = await delays(20, async (cookie) => {
      const chats = await Promise.all(Array.from({ length: 10 }, () => join(far, cookie)))
      return { closed: Promise.all(chats.map(({ closed }) => closed)) }
    })
    // An announcement takes some ten milliseconds, though a busy machine may stumble now and then.
    expect(times[10]).toBeLessThan(1000)
  })

  it('closes when all sessions of its user are ended, whichever process it is in', async () => {
    const chats = await Promise.all(
      [near, far, near, far].map(async (server) => join(server, await near.visit('/sign-in'))),
    )
    await far.visit('/sign-out-everywhere')
    for (const { closed } of chats) expect(await closed).toEqual([4401, 'gone'])
  })

  it('closes when another user signs in with the same browser', async () => {
    const cookie = await near.visit('/sign-in')
    const { closed } = await join(far, cookie)
    await near.visit('/sign-in-as-bob', cookie)
    expect((await closed)[0]).toBe(4401)
  })

  it('stays open, and goes on saving, when its user is given a new token', async () => {
    const cookie = await near.visit('/sign-in')
    const { say } = await join(far, cookie)
    const renewed = await near.visit('/rotate', cookie)
    expect(renewed).not.toBe(cookie)
    expect(await say('still here')).toBe('heard')
    const response = await fetch(`http://${near.host}/`, { headers: { cookie: renewed } })
    expect(await response.text()).toBe('still here')
  })

  it('cannot change the token, since no cookie can be sent', async () => {
    const cookie = await near.visit('/sign-in')
    const { say } = await join(far, cookie)
    expect(await say('rotate')).toBe('ERR_RESPONSE_STARTED')
  })
})

describe('a socket of Socket.IO', () => {
  const connect = (cookie: string): Socket =>
    io(`http://${far.host}`, {
      extraHeaders: { cookie },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    })

  it('is refused without a cookie, and disconnected when its user signs out in another process', async () => {
    const anonymous = connect('')
    const refusal = await new Promise<Error>((resolve) => anonymous.on('connect_error', resolve))
    expect(refusal.message).toBe('sign in first')
    anonymous.close()

    const cookie = await near.visit('/sign-in')
    const socket = connect(cookie)
    await new Promise<void>((resolve) => socket.on('connect', resolve))
    const ended = new Promise((resolve) => socket.on('ended', resolve))
    const disconnected = new Promise((resolve) => socket.on('disconnect', resolve))
    await near.visit('/sign-out', cookie)
    expect(await ended).toBe('gone')
    expect(await disconnected).toBe('io server disconnect')
  })

  it('is disconnected within a second', async () => {
    const times = await delays(20, async (cookie) => {
      const socket = connect(cookie)
      await new Promise<void>((resolve) => socket.on('connect', resolve))
      return { closed: new Promise((resolve) => socket.on('disconnect', resolve)) }
    })
    expect(times[10]).toBeLessThan(1000)
  })
})
