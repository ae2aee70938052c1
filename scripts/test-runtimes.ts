/**
 * Runs the contract suites on every runtime that the package supports, on the package as it is published:
 * packed, installed in a folder outside the repository, and imported by its public names.
 *
 *     npm run test:runtimes                 all of them
 *     npm run test:runtimes -- node-24 bun  two of them
 *
 * workerd has no suite inside: a Worker that uses the package is asked from here.
 *
 * `node-20` stands for the Node that runs this; the others are installed on first use, by the lockfiles in
 * runtimes/. PostgreSQL is started here, once for each, since its binaries need Node.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
import { installPackage, packPackage } from './pack-package.ts'
import { root, runCommand } from './run-command.ts'
import { installRuntime, type RuntimeName, runtimeNames } from './runtimes.ts'
import { bundleWorker, serveWorker } from './workerd-server.ts'

const OWN = `node-${process.versions.node.split('.')[0]}`
const names: readonly string[] = [...new Set([OWN, ...runtimeNames])]

/** What a runtime has to be told before the file it runs. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  deno: ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual'],
}

/** What the suite imports beside the package. */
const CLIENTS = ['pg', 'postgres', '@hono/node-server']

/** Files to run, made where the package is installed. */
interface Suites {
  /** For runtimes that read no TypeScript. */
  readonly suite: string
  /** What workerd serves. */
  readonly worker: string
}

async function buildSuites(folder: string): Promise<Suites> {
  const user = join(folder, 'user')
  await mkdir(user)
  await installPackage(await packPackage(folder), user, CLIENTS)
  const [suite, worker] = [join(user, 'runtimes.mjs'), join(user, 'worker.mjs')]
  await build({
    entryPoints: [join(root, 'test/runtimes/suite.ts')],
    outfile: suite,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    external: ['pg-sessions', 'pg-sessions/*', ...CLIENTS, 'vitest'],
    logLevel: 'warning',
  })
  await bundleWorker(join(root, 'test/runtimes/workerd/worker.ts'), worker, user)
  return { suite, worker }
}

/** Runs the suite of Workers: requests come from this Node. */
async function runWorker(worker: string, databaseUrl: string): Promise<string> {
  const { origin, stop } = await serveWorker(worker, databaseUrl)
  try {
    const environment = { WORKER_ORIGIN: origin, DATABASE_URL: databaseUrl }
    const suite = join(root, 'test/runtimes/workerd/workerd-suite.ts')
    return (await runCommand('tsx', [suite], { environment })).output
  } finally {
    await stop()
  }
}

async function runSuite(name: string, suite: string): Promise<string> {
  const executable = name === OWN ? process.execPath : await installRuntime(name as RuntimeName)
  return (await runCommand(executable, [...(ARGUMENTS[name] ?? []), suite])).output
}

async function run(
  name: string,
  { suite, worker }: Suites,
): Promise<{ passed: number; failed: number }> {
  const start = performance.now()
  const server = await startEmbeddedPostgres()
  try {
    process.env.DATABASE_URL = server.url
    const output = await (name === 'workerd'
      ? runWorker(worker, server.url)
      : runSuite(name, suite))
    const lines = output.split('\n')
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(lines.at(-1) ?? '') ?? []
    const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 1) }
    if (counts.failed > 0) console.log(output.replaceAll(/^/gm, '     '))
    const seconds = ((performance.now() - start) / 1000).toFixed(0)
    console.log(
      `${counts.failed === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${counts.passed} passed, ${counts.failed} failed, ${seconds} s`,
    )
    return counts
  } finally {
    await server.stop()
  }
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !names.includes(arg))
  if (unknown !== undefined) {
    console.error(`There is no runtime ${unknown}. There are ${names.join(', ')}.`)
    return 2
  }
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-runtimes-'))
  try {
    return await runAll(args.length > 0 ? args : names, await buildSuites(folder))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runAll(chosen: readonly string[], suites: Suites): Promise<number> {
  let [passed, failed] = [0, 0]
  for (const name of chosen) {
    const counts = await run(name, suites)
    passed += counts.passed
    failed += counts.failed
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
