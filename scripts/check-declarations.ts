import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Compiler, compile } from './compile.ts'
import { installPackage, type PackedPackage } from './pack-package.ts'
import type { CommandResult } from './run-command.ts'
import { readSubpaths } from './subpaths.ts'

/** Subpaths that name another package's types, which their users have installed. */
const frameworkTypes: Readonly<Record<string, readonly string[]>> = {
  './elysia': ['elysia'],
  './express': ['@types/express'],
  './fastify': ['fastify'],
  './h3': ['h3'],
  './hono': ['hono'],
  './koa': ['@types/koa'],
  './nestjs': ['@nestjs/common'],
  './opentelemetry': ['@opentelemetry/api'],
}

const strict = {
  target: 'es2022',
  lib: ['es2022'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
}

/** How users' projects find and write modules. */
interface ModuleMode {
  readonly name: string
  /** The type of their own `package.json`. */
  readonly type: 'module' | 'commonjs'
  readonly compiler: Compiler
  readonly compilerOptions: object
}

const nodeNext: ModuleMode = {
  name: 'nodenext',
  type: 'module',
  compiler: 'typescript-native',
  compilerOptions: { module: 'nodenext' },
}

const otherModes: readonly ModuleMode[] = [
  {
    name: 'node16-cjs',
    type: 'commonjs',
    compiler: 'typescript-native',
    compilerOptions: { module: 'node16' },
  },
  {
    name: 'bundler',
    type: 'module',
    compiler: 'typescript',
    compilerOptions: { module: 'esnext', moduleResolution: 'bundler' },
  },
  {
    name: 'node10',
    type: 'commonjs',
    // The last compiler that knows this way.
    compiler: 'typescript',
    compilerOptions: {
      module: 'commonjs',
      moduleResolution: 'node10',
      esModuleInterop: true,
      ignoreDeprecations: '6.0',
    },
  },
]

/**
 * Compiles the published declarations as a careful user would: with `skipLibCheck` off, and with no
 * types around but Node's and, for an adapter, those of what it adapts to. All other subpaths are
 * compiled in every way that a project may find modules.
 */
export async function checkDeclarations(
  packed: PackedPackage,
  into: string,
): Promise<CommandResult> {
  const subpaths = (await readSubpaths()).map(({ name }) => name)
  const plain = subpaths.filter((subpath) => frameworkTypes[subpath] === undefined)
  const consumers: { subpaths: readonly string[]; types: readonly string[]; mode: ModuleMode }[] =
    Object.entries(frameworkTypes).map(([subpath, types]) => ({
      subpaths: [subpath],
      types,
      mode: nodeNext,
    }))
  for (const mode of [nodeNext, ...otherModes]) consumers.push({ subpaths: plain, types: [], mode })
  const results: CommandResult[] = []
  for (const [index, { subpaths, types, mode }] of consumers.entries()) {
    const folder = join(into, `consumer-${index}-${mode.name}`)
    await installPackage(packed, folder, ['@types/node', ...types])
    await writeConsumer(folder, subpaths, mode)
    results.push(withoutOthers(await compile(['-p', folder], mode.compiler)))
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

/** An application that declares once what its sessions hold. */
const declaredData = `
import type { Session } from 'pg-sessions'
declare module 'pg-sessions' {
  interface SessionData {
    basket: string[]
  }
}
export const read = async (session: Session): Promise<number | undefined> => {
  // @ts-expect-error There is no such key.
  await session.get('baskets')
  return (await session.get('basket'))?.length
}
`

async function writeConsumer(
  folder: string,
  subpaths: readonly string[],
  { type, compilerOptions }: ModuleMode,
): Promise<void> {
  const lines = subpaths.map(
    (subpath, index) => `export * as subpath${index} from 'pg-sessions${subpath.slice(1)}'\n`,
  )
  await writeFile(join(folder, 'consumer.ts'), `${lines.join('')}${declaredData}`)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type }))
  const config = { compilerOptions: { ...strict, ...compilerOptions }, files: ['consumer.ts'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
}
