import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { build } from 'esbuild'
import { installRuntime } from './runtimes.ts'

/** A Worker that serves on this machine. */
interface WorkerServer {
  readonly origin: string
  stop(): Promise<void>
}

/** Bundles a Worker as Cloudflare's tools do: the built-in modules of Node stay imports. */
export async function bundleWorker(entry: string, outfile: string, folder: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker'],
    external: ['cloudflare:*'],
    nodePaths: [join(folder, 'node_modules')],
    // CommonJS packages in the bundle load Node's modules by it.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire('/');",
    },
    logLevel: 'warning',
  })
}

/** Serves a bundled Worker with Cloudflare's runtime. */
export async function serveWorker(bundle: string, databaseUrl: string): Promise<WorkerServer> {
  const port = await freePort()
  const configuration = join(dirname(bundle), 'workerd.capnp')
  await writeFile(configuration, configure(basename(bundle), databaseUrl, port))
  const server = spawn(await installRuntime('workerd'), ['serve', configuration], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const origin = `http://127.0.0.1:${port}`
  while (!(await answers(origin))) {
    if (server.exitCode !== null) throw new Error(`workerd ended.\n${said}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    origin,
    async stop() {
      const exit = once(server, 'exit')
      server.kill()
      await exit
    },
  }
}

function configure(module: string, databaseUrl: string, port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "${module}")],
  compatibilityDate = "2026-07-01",
  compatibilityFlags = ["nodejs_compat"],
  globalOutbound = "network",
  bindings = [(name = "DATABASE_URL", text = "${databaseUrl}")],
);
`
}

async function answers(origin: string): Promise<boolean> {
  return fetch(origin).then(
    () => true,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
