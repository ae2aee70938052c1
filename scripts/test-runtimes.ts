/**
 * Runs the contract suites on every runtime that the package supports, on the package as it is published:
 * packed, installed in a folder outside the repository, and imported by its public names.
 *
 *     npm run test:runtimes                 all of them
 *     npm run test:runtimes -- node-24 bun  two of them
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

const OWN = `node-${process.versions.node.split('.')[0]}`
const names: readonly string[] = [...new Set([OWN, ...runtimeNames])]

/** What a runtime has to be told before the file it runs. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  deno: ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual'],
}

/** What the suite imports beside the package. */
const CLIENTS = ['pg', 'postgres', '@hono/node-server']

/** Makes one file of the suite, for runtimes that read no TypeScript, where the package is installed. */
async function buildSuite(folder: string): Promise<string> {
  const user = join(folder, 'user')
  await mkdir(user)
  await installPackage(await packPackage(folder), user, CLIENTS)
  const outfile = join(user, 'runtimes.mjs')
  await build({
    entryPoints: [join(root, 'test/runtimes/suite.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    external: ['pg-sessions', 'pg-sessions/*', ...CLIENTS, 'vitest'],
    logLevel: 'warning',
  })
  return outfile
}

async function run(name: string, suite: string): Promise<{ passed: number; failed: number }> {
  const executable = name === OWN ? process.execPath : await installRuntime(name as RuntimeName)
  const start = performance.now()
  const server = await startEmbeddedPostgres()
  try {
    process.env.DATABASE_URL = server.url
    const { output } = await runCommand(executable, [...(ARGUMENTS[name] ?? []), suite])
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
    return await runAll(args.length > 0 ? args : names, await buildSuite(folder))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runAll(chosen: readonly string[], suite: string): Promise<number> {
  let [passed, failed] = [0, 0]
  for (const name of chosen) {
    const counts = await run(name, suite)
    passed += counts.passed
    failed += counts.failed
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
