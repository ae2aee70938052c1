import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { bundledProgram } from '../support/bundled-program.ts'
import type { TestDatabase } from '../support/database.ts'

/** One of several servers of the same chat. */
export interface ChatServer {
  /** `127.0.0.1:1234` */
  readonly host: string
  /** Visits a page, and gives the `Cookie` field that the visitor has afterwards. */
  visit(path: string, cookie?: string): Promise<string>
  /** Ends the process, and gives its exit code. */
  stop(): Promise<number | null>
}

const script = 'test/websockets/chat-process.ts'

export async function startChatServer(database: TestDatabase): Promise<ChatServer> {
  const child = spawn(process.execPath, [await bundledProgram(script)], {
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [port] = await once(createInterface(child.stdout), 'line')
  const host = `127.0.0.1:${port}`
  return {
    host,
    async visit(path, cookie = '') {
      const response = await fetch(`http://${host}${path}`, { headers: { cookie } })
      await response.text()
      return response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    },
    stop: () => stop(child),
  }
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const exit = once(child, 'exit')
  child.stdin?.end()
  const [code] = await exit
  return code
}
