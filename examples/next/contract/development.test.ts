import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { it } from 'node:test'

const COOKIE = /^id=[^;]+/

it('reads and signs in under `next dev` with Cache Components, without an error', async () => {
  await using server = await startDevelopment()
  const read = async (cookie: string): Promise<string> =>
    (await fetch(server.url, { headers: { cookie } })).text()

  assert.match(await read(''), /Hello, (<!-- -->)?stranger/)
  const login = await fetch(`${server.url}/login`, { method: 'POST', redirect: 'manual' })
  assert.equal(login.status, 303)
  const [cookie = ''] = COOKIE.exec(login.headers.getSetCookie().join()) ?? []
  assert.match(await read(cookie), /Hello, (<!-- -->)?ann/)
  assert.doesNotMatch(server.output(), /error/i)
})

interface Development extends AsyncDisposable {
  readonly url: string
  output(): string
}

/** Starts the example as a developer does. It needs the database of `DATABASE_URL`. */
async function startDevelopment(): Promise<Development> {
  const port = await freePort()
  const child = spawn('npx', ['next', 'dev', '--hostname', 'localhost', '--port', String(port)], {
    env: { ...process.env, NODE_ENV: 'development', NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // with a process group of its own, which is stopped as a whole
  })
  const lines: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
  const output = createInterface({ input: child.stdout })
  await new Promise<void>((resolve, reject) => {
    output.on('line', (line) => {
      lines.push(line)
      if (line.includes('Ready')) resolve()
    })
    child.once('exit', () => reject(new Error(lines.join('\n'))))
  })
  return {
    url: `http://localhost:${port}`,
    output: () => lines.join('\n'),
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      process.kill(-(child.pid ?? 0), 'SIGKILL')
      await exited
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
