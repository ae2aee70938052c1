import { existsSync } from 'node:fs'
import { appendFile, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FrameworkPage, readPage } from './page-of-framework.ts'
import { type CommandResult, root, runCommand } from './run-command.ts'
import { installRuntime } from './runtimes.ts'
import { startServer } from './starter-server.ts'
import { playLogin, playLoginWithoutDatabase } from './starter-visitor.ts'
import type { Starter } from './starters.ts'

/** A step that failed, with what it wrote. */
export class StarterError extends Error {}

/** What the starter is made with. */
export interface StarterGround {
  /** An empty folder. */
  readonly folder: string
  /** The packed package. */
  readonly tarball: string
  readonly databaseUrl: string
}

/**
 * Makes a framework's starter, does in it what the page says, and signs in and out, first on the
 * development server, then on the built application. At last it signs in while no database can be reached.
 *
 * @returns Notes on what was not as on the page.
 * @throws {StarterError} If a step fails.
 */
export async function testStarter(starter: Starter, ground: StarterGround): Promise<string[]> {
  const page = readPage(starter.name)
  const shop = join(ground.folder, 'shop')
  const path = starter.node === 'this' ? [] : [dirname(await installRuntime(starter.node))]
  const inShop = async (what: string, line: string): Promise<void> => {
    const { ok, output } = await runShell(line, shop, path)
    if (!ok) throw new StarterError(`${what} (${line}):\n${output}`)
  }
  const notes = await makeStarter(starter, page, ground.folder, path)
  for (const line of page.setup) await inShop('Setting up failed', prepared(line, ground))
  for (const file of page.files) {
    await mkdir(dirname(join(shop, file.path)), { recursive: true })
    await (file.isAddition ? appendFile : writeFile)(join(shop, file.path), file.code)
  }
  const place = { cwd: shop, path, environment: surroundings }
  const develop = { line: page.develop, port: starter.port?.develop, ...place }
  await onServer(develop, (origin) => playLogin(origin, { isSecure: false }))
  const [build = '', serve = ''] = page.serve.split(/ && (.*)/s)
  await inShop('Building failed', build)
  await inShop('Checking the types failed', starter.check)
  const served = { line: serve, port: starter.port?.serve, ...place }
  await onServer(served, (origin) => playLogin(origin, { isSecure: true }))
  const alone = { ...served, environment: { ...surroundings, DATABASE_URL: UNREACHABLE } }
  await onServer(alone, playLoginWithoutDatabase, { mayComplain: true })
  return notes
}

/** By the framework's own command, or from `starters/` where that finds its template on GitHub only. */
async function makeStarter(
  { name }: Starter,
  { make }: FrameworkPage,
  folder: string,
  path: readonly string[],
): Promise<string[]> {
  const shop = join(folder, 'shop')
  const { ok, output } = await runShell(make, folder, path)
  const isEmpty = make.startsWith('mkdir ')
  if (ok && (isEmpty || existsSync(join(shop, 'package.json')))) return []
  const standIn = join(root, 'starters', name)
  if (!existsSync(standIn))
    throw new StarterError(`Making the starter failed (${make}):\n${output}`)
  await rm(shop, { recursive: true, force: true })
  await cp(standIn, shop, { recursive: true })
  return [`a stand-in of the starter, since "${make}" could not fetch its template`]
}

/** Takes the packed package, and the database of this test, in place of the page's. */
function prepared(line: string, { tarball, databaseUrl }: StarterGround): string {
  const installs = /^(npm install|bun add) /.test(line)
  const named = installs ? line.replace(/(?<= )pg-sessions(?= |$)/, tarball) : line
  return named.replace('postgres://localhost/shop', databaseUrl)
}

function runShell(line: string, cwd: string, path: readonly string[]): Promise<CommandResult> {
  return runCommand('sh', ['-c', line], { cwd, path, environment: surroundings })
}

/** Answers for package managers, and no message of theirs or of a framework's maker. */
const surroundings: Readonly<Record<string, string>> = {
  npm_config_yes: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_prefer_offline: 'true',
  ASTRO_TELEMETRY_DISABLED: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  TANSTACK_CLI_TELEMETRY_DISABLED: '1',
}

/** Where no server listens. */
const UNREACHABLE = 'postgres://127.0.0.1:1/shop'

interface ServerCommand {
  readonly line: string
  readonly port: string | undefined
  readonly cwd: string
  readonly path: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

async function onServer(
  { line, port, cwd, path, environment }: ServerCommand,
  use: (origin: string) => Promise<void>,
  { mayComplain = false } = {},
): Promise<void> {
  const server = await startServer(line, port, { cwd, path, environment })
  try {
    await use(server.origin)
    const complaint = /^.*\b\w*Error: .*$/m.exec(server.outputSinceReady())
    if (complaint !== null && !mayComplain)
      throw new StarterError(`The server wrote: ${complaint[0]}`)
  } catch (error) {
    throw new StarterError(`${line}: ${String(error)}\n${server.output()}`)
  } finally {
    await server.stop()
  }
}
