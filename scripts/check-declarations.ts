import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installPackage, type PackedPackage, readManifest } from './pack-package.ts'
import { type CommandResult, runCommand } from './run-command.ts'

/** Subpaths that name a framework's types, which their users have installed. */
const frameworkTypes: Readonly<Record<string, readonly string[]>> = {
  './elysia': ['elysia'],
  './express': ['@types/express'],
  './fastify': ['fastify'],
  './h3': ['h3'],
  './hono': ['hono'],
  './koa': ['@types/koa'],
  './nestjs': ['@nestjs/common'],
}

const compilerOptions = {
  target: 'es2022',
  lib: ['es2022'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
}

/**
 * Compiles the published declarations as a careful user would: with `skipLibCheck` off, and with no
 * types around but Node's and, for a framework's adapter, that framework's.
 */
export async function checkDeclarations(
  packed: PackedPackage,
  into: string,
): Promise<CommandResult> {
  const { exports } = await readManifest()
  const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json')
  const plain = subpaths.filter((subpath) => frameworkTypes[subpath] === undefined)
  const consumers = [{ name: 'plain', subpaths: plain, types: [] as readonly string[] }]
  for (const [subpath, types] of Object.entries(frameworkTypes)) {
    consumers.push({ name: subpath.replace('./', ''), subpaths: [subpath], types })
  }
  const results: CommandResult[] = []
  for (const { name, subpaths, types } of consumers) {
    const folder = join(into, `consumer-${name}`)
    await installPackage(packed, folder, ['@types/node', ...types])
    await writeConsumer(folder, subpaths)
    results.push(withoutOthers(await runCommand('tsc', ['-p', folder])))
  }
  return {
    ok: results.every(({ ok }) => ok),
    output: results.flatMap(({ output }) => (output === '' ? [] : [output])).join('\n'),
  }
}

/**
 * Drops what is wrong within other packages, with the indented lines that explain it: `@types/koa`
 * contradicts a package that it imports, and Elysia's own declarations are not strict.
 */
function withoutOthers({ ok, output }: CommandResult): CommandResult {
  let isOurs = true
  const lines = output.split('\n').filter((line) => {
    if (!/^\s/.test(line)) isOurs = !/^[^(]*node_modules\/(?!pg-sessions\/)/.test(line)
    return isOurs
  })
  return { ok: ok || lines.join('').trim() === '', output: lines.join('\n') }
}

async function writeConsumer(folder: string, subpaths: readonly string[]): Promise<void> {
  const lines = subpaths.map(
    (subpath, index) => `export * as subpath${index} from 'pg-sessions${subpath.slice(1)}'\n`,
  )
  await writeFile(join(folder, 'consumer.ts'), lines.join(''))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const config = { compilerOptions, files: ['consumer.ts'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
}
