/**
 * Gives runtimes other than the running one: those of runtimes/, by their lockfiles, on first use.
 *
 *     npx tsx scripts/runtimes.ts            installs all of them, and prints where they are
 *     npx tsx scripts/runtimes.ts node-24    one of them
 */
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, runCommand } from './run-command.ts'

/** A folder of runtimes/. */
export type RuntimeName = 'node-22' | 'node-24' | 'node-26' | 'bun' | 'deno' | 'workerd'

/** Where npm puts the executable for this platform. No script of a package has to run for it. */
const EXECUTABLES: Record<RuntimeName, RegExp> = {
  'node-22': /^node-[^/]+\/bin\/node$/,
  'node-24': /^node-[^/]+\/bin\/node$/,
  'node-26': /^node-[^/]+\/bin\/node$/,
  bun: /^@oven\/bun-[^/]+\/bin\/bun$/,
  deno: /^@deno\/[^/]+\/deno$/,
  workerd: /^@cloudflare\/workerd-[^/]+\/bin\/workerd$/,
}

/** The names of all runtimes. */
export const runtimeNames: readonly RuntimeName[] = Object.keys(EXECUTABLES) as RuntimeName[]

/** A runtime that npm does not give for this platform, or cannot give now. */
export class RuntimeInstallError extends Error {}

/**
 * Installs a runtime unless that was done since its lockfile last changed.
 *
 * Any number of processes may ask at once: each installs aside, and the first to finish wins.
 *
 * @returns The path of the executable.
 * @throws {RuntimeInstallError} With what npm wrote.
 */
export async function installRuntime(name: RuntimeName): Promise<string> {
  const folder = join(root, 'runtimes', name)
  const modules = join(folder, 'node_modules')
  if (!(await isInstalled(folder, modules))) await install(name, folder, modules)
  for (const path of (await readdir(modules, { recursive: true })).sort()) {
    if (EXECUTABLES[name].test(path)) return join(modules, path)
  }
  throw new RuntimeInstallError(`npm has no ${name} for ${process.platform}-${process.arch}.`)
}

async function isInstalled(folder: string, modules: string): Promise<boolean> {
  const changed = (await stat(join(folder, 'package-lock.json'))).mtimeMs
  const installed = await stat(join(modules, '.package-lock.json')).catch(() => null)
  return installed !== null && installed.mtimeMs >= changed
}

async function install(name: RuntimeName, folder: string, modules: string): Promise<void> {
  const shared = join(root, 'runtimes', 'node_modules')
  await mkdir(shared, { recursive: true })
  const aside = await mkdtemp(join(shared, `${name}-`))
  try {
    for (const file of ['package.json', 'package-lock.json']) {
      await cp(join(folder, file), join(aside, file))
    }
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund']
    const { ok, output } = await runCommand('npm', ['ci', '--prefix', aside, ...flags])
    if (!ok) throw new RuntimeInstallError(`${name} could not be installed.\n${output}`)
    if (await isInstalled(folder, modules)) return
    await rm(modules, { recursive: true, force: true })
    await rename(join(aside, 'node_modules'), modules)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !runtimeNames.some((name) => name === arg))
  if (unknown !== undefined) {
    console.error(`There is no runtime ${unknown}. There are ${runtimeNames.join(', ')}.`)
    return 2
  }
  for (const name of runtimeNames) {
    if (args.length > 0 && !args.includes(name)) continue
    console.log(`${name.padEnd(8)} ${await installRuntime(name)}`)
  }
  return 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2))
}
