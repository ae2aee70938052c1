import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { sessionFromUpgrade } from 'pg-sessions/node'
import { expect, test } from 'vitest'
import { memorySessions } from '../adapters/memory-sessions.ts'

test('a client that resets its connection while the session loads ends no process', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const failed = new Promise((resolve) => {
    server.on('upgrade', async (request, socket) => {
      socket.on('close', resolve)
      client.resetAndDestroy()
      const session = sessionFromUpgrade(memorySessions(), request)
      expect(socket.listenerCount('error'), 'without a listener the error is thrown').toBe(1)
      await session.load()
    })
  })
  client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  expect(await failed).toBe(true)
  server.close()
})
