import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { it } from 'node:test'
import { setTimeout } from 'node:timers/promises'

it('the login of the example says that it failed, when the database is down', async () => {
  await using server = await startExample('postgres://localhost:1/none')
  const answer = await fetch(`${server.url}/?_action=login`, {
    method: 'POST',
    body: new FormData(),
    headers: { origin: server.url },
    redirect: 'manual',
  })
  assert.ok(answer.status >= 500, `status ${answer.status}`)
  assert.match(await answer.text(), /did not work/)
  assert.deepEqual(answer.headers.getSetCookie(), [])
})

async function startExample(databaseUrl: string): Promise<{ url: string } & AsyncDisposable> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const child = spawn(process.execPath, ['dist/server/entry.mjs'], {
    env: { ...process.env, DATABASE_URL: databaseUrl, HOST: 'localhost', PORT: String(port) },
    stdio: 'ignore',
  })
  while (!(await fetch(`${url}/none`).then(Boolean, () => false))) {
    if (child.exitCode !== null) throw new Error('The example has stopped.')
    await setTimeout(50)
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.kill()
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
