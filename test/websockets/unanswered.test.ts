import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { bundledProgram } from '../support/bundled-program.ts'

const script = 'test/websockets/unanswered-process.ts'

test.each([
  ['that has closed its sessions', 'yes'],
  ['that has not', 'no'],
])('a process %s ends although the server has not let it listen yet', async (_, close) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connected = once(server, 'connection')
  const child = spawn(process.execPath, [await bundledProgram(script)], {
    env: {
      ...process.env,
      DATABASE_URL: `postgres://ann:secret@127.0.0.1:${port}/x`,
      CLOSE: close,
    },
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const [socket] = (await connected) as [Socket]
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  const exit = once(child, 'exit')
  child.stdin.end('go on')
  // Sooner than the attempt to listen is given up.
  const killer = setTimeout(() => child.kill(), 8_000)
  expect(await exit).toEqual([0, null])
  clearTimeout(killer)
})
