import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { bundledProgram } from './bundled-program.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import type { FixtureSettings } from './fixture-server.ts'
import { HttpVisitor } from './fixture-server-visitor.ts'

/** Several processes of the application on one database. */
export interface FixtureProcesses {
  readonly database: TestDatabase
  readonly urls: readonly [string, string]
  /** A client that turns to one process and then to the other. */
  visitor(): HttpVisitor
  /** Everything that the processes have logged. */
  output(): string
  stop(): Promise<void>
}

interface FixtureProcess {
  readonly url: string
  output(): string
  stop(): Promise<void>
}

/** Starts the application in two processes on a database of its own. */
export async function startTwoProcesses(settings: FixtureSettings = {}): Promise<FixtureProcesses> {
  const database = await createTestDatabase()
  const [one, other] = await Promise.all([
    startProcess(database.url, settings),
    startProcess(database.url, settings),
  ])
  const urls = [one.url, other.url] as const
  return {
    database,
    urls,
    visitor: () => new HttpVisitor(urls),
    output: () => one.output() + other.output(),
    async stop() {
      await Promise.all([one.stop(), other.stop()])
      await database.drop()
    },
  }
}

async function startProcess(
  databaseUrl: string,
  settings: FixtureSettings,
): Promise<FixtureProcess> {
  const program = await bundledProgram('test/support/fixture-server-process.ts')
  const child = spawn(process.execPath, [program], {
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      FIXTURE_SETTINGS: JSON.stringify(settings),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const closed = once(child, 'close')
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), closed])
  const url = String(first[0])
  if (!url.startsWith('http')) throw new Error(`The process ended (${url}): ${output}`)
  lines.on('line', (line) => {
    output += `${line}\n`
  })
  return {
    url,
    output: () => output,
    async stop() {
      child.stdin.end()
      await closed
    },
  }
}
