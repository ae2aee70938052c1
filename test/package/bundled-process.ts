import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** An application that runs from its one file. */
export interface BundledProcess {
  readonly url: string
  /** Ends its stdin, on which it stops. Gives everything that it has written to stderr. */
  stop(): Promise<string>
}

/** Node 20 has the permission model under its first name. */
const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'

/** Starts a bundle that may read no file but itself, and waits until it says where it listens. */
export async function startBundle(file: string, databaseUrl: string): Promise<BundledProcess> {
  const options = ['--no-warnings', PERMISSION, `--allow-fs-read=${file}`]
  const child = spawn(process.execPath, [...options, file], {
    env: { DATABASE_URL: databaseUrl },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const closed = once(child, 'close')
  const lines = createInterface({ input: child.stdout })
  const url = await Promise.race([
    new Promise<string>((resolve) =>
      lines.on('line', (line) => /^http/.test(line) && resolve(line)),
    ),
    closed.then(() => null),
  ])
  if (url === null) throw new Error(`The application has ended: ${errors}`)
  return {
    url,
    async stop() {
      child.stdin.end()
      await closed
      return errors
    },
  }
}
