/**
 * A chat server in a process of its own, by `ws` and by Socket.IO: says where it is, and ends with its
 * stdin. Browsers sign in and out over HTTP.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { createSessions } from 'pg-sessions'
import { nodeSessions, sessionFromUpgrade } from 'pg-sessions/node'
import { fromPg } from 'pg-sessions/pg'
import { Server } from 'socket.io'
import { WebSocketServer } from 'ws'

// The smallest pool there is: listening takes none of it.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL ?? '', max: 1 })
const sessions = createSessions({ database: fromPg(pool), log: false })
const sessionOf = nodeSessions(sessions)

const server = createServer(async (request, response) => {
  const session = sessionOf(request, response)
  if (request.url === '/sign-in') await session.signIn('ann')
  else if (request.url === '/sign-in-as-bob') await session.signIn('bob')
  else if (request.url === '/sign-out') await session.signOut()
  else if (request.url === '/sign-out-everywhere') await sessions.destroyByUser('ann')
  else if (request.url === '/rotate') session.rotate()
  response.end(String(await session.get('said')))
})

const sockets = new WebSocketServer({ noServer: true })
server.on('upgrade', async (request, socket, head) => {
  if (request.url !== '/chat') return
  const session = sessionFromUpgrade(sessions, request)
  await session.load()
  if (session.userId === null) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
  sockets.handleUpgrade(request, socket, head, (client) => {
    const watch = sessions.watch(session, (end) => client.close(4401, end))
    client.on('close', () => watch.stop())
    client.on('message', async (message) => {
      try {
        if (String(message) === 'rotate') session.rotate()
        else await session.update('said', () => String(message))
        client.send('heard')
      } catch (error) {
        client.send((error as { readonly code: string }).code)
      }
    })
    client.send(`welcome ${session.userId}`)
  })
})

const io = new Server(server, { destroyUpgrade: false })
io.use((socket, next) => {
  const session = sessionFromUpgrade(sessions, socket.request)
  session.load().then(() => {
    if (session.userId === null) return next(new TypeError('sign in first'))
    const watch = sessions.watch(session, (end) => {
      socket.emit('ended', end)
      socket.disconnect(true)
    })
    socket.on('disconnect', () => watch.stop())
    next()
  }, next)
})

await sessions.ready()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
for (const client of sockets.clients) client.terminate()
const closed = io.close()
server.closeAllConnections()
await closed
await sessions.close()
await pool.end()
