import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The demo, running in a process of its own as `npm run demo` would start it. */
export interface DemoProcess {
  readonly url: string
  /** All that it has printed so far. */
  readonly output: string
  /** Ends it as Ctrl-C does, and gives its exit status. */
  stop(): Promise<number | null>
}

export interface DemoStart {
  /** Command line options, as `--port`. */
  readonly args: readonly string[]
  /** A server to use in place of the embedded one. */
  readonly databaseUrl?: string
}

const MAIN = fileURLToPath(new URL('../../demo/main.ts', import.meta.url))

/** Starts the demo and waits until it says where it is. */
export async function startDemo({ args, databaseUrl = '' }: DemoStart): Promise<DemoProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const found = /The demo is at +(http:\S+)/.exec(output)?.[1]
        if (found !== undefined) resolve(found)
      })
    }
    closed.then(() => reject(new Error(`The demo ended: ${output}`)), reject)
  })
  return {
    url,
    get output() {
      return output
    },
    async stop() {
      child.kill('SIGINT')
      await closed
      return child.exitCode
    },
  }
}
