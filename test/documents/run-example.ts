import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { root } from './code-blocks.ts'

/** An example from a document, running as it stands in a process of its own. */
export interface RunningExample extends AsyncDisposable {
  /** Where it serves. */
  readonly url: string
}

/** Whatever port the example names, it gets a free one, on loopback only, and says which. */
const PRELOAD = `
import { Server } from 'node:net'
const { listen } = Server.prototype
Server.prototype.listen = function () {
  return listen.call(this, 0, '127.0.0.1', () => console.log('port ' + this.address().port))
}
`

/**
 * Runs an example that serves HTTP.
 *
 * @param before - Code in front of it, for what the document has shown above.
 */
export async function runExample(
  code: string,
  databaseUrl: string,
  before = '',
): Promise<RunningExample> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-example-'))
  try {
    const file = await bundleExample(`${before}\n${code}`, folder)
    const preload = join(folder, 'preload.mjs')
    await writeFile(preload, PRELOAD)
    const child = spawn(process.execPath, ['--import', preload, file], {
      env: { ...process.env, DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const url = `http://127.0.0.1:${await portOf(child)}`
    return {
      url,
      async [Symbol.asyncDispose]() {
        child.kill()
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** One file of the example and of this package's sources; its dependencies stay outside. */
export async function bundleExample(code: string, folder: string): Promise<string> {
  const file = join(folder, 'example.mjs')
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    outfile: file,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    tsconfig: join(root, 'tsconfig.json'),
    logLevel: 'silent',
  })
  return file
}

async function portOf(
  child: ChildProcess & { readonly stdout: NodeJS.ReadableStream },
): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^port (\d+)$/.exec(line)?.[1]
    if (port === undefined) continue
    child.stdout.resume()
    return port
  }
  throw new Error('The example ended before it served.')
}
