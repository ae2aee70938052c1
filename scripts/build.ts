/**
 * Builds `dist/`: ES modules by tsc, one for each source file, and below `dist/cjs` the same modules for
 * `require`, with the dependencies inside that have no CommonJS form. Both share one set of declarations.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'
import { build as bundle, transform } from 'esbuild'
import { ModuleFormError, toCommonJs } from './commonjs-module.ts'
import { compile } from './compile.ts'
import { readManifest } from './pack-package.ts'
import { root } from './run-command.ts'
import { readSubpaths } from './subpaths.ts'

const dist = join(root, 'dist')
const commonJs = join(dist, 'cjs')

async function build(): Promise<void> {
  await rm(dist, { recursive: true, force: true })
  const { ok, output } = await compile(['-p', 'tsconfig.build.json'])
  if (!ok) throw new BuildError(output)
  const modules = (await readSubpaths()).map(({ module }) => module)
  await shareDeclarations(modules)
  await dropComments()
  await buildCommonJs(modules)
}

class BuildError extends Error {}

/**
 * Moves the declarations to `dist/cjs`, where TypeScript reads them as CommonJS, and puts one in the place
 * of each public one that exports all of it. ES modules may import CommonJS everywhere, while the other way
 * round needs a new Node and a new TypeScript; and a class is one type for both.
 */
async function shareDeclarations(modules: readonly string[]): Promise<void> {
  const found = await reachable(modules.map((module) => `${module}.d.ts`))
  for (const file of await filesOf(dist, '.d.ts')) await rm(join(dist, file))
  for (const [file, text] of found) {
    const target = join(commonJs, file)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, text)
  }
  const manifest = { type: 'commonjs', sideEffects: false }
  await writeFile(join(commonJs, 'package.json'), `${JSON.stringify(manifest)}\n`)
  for (const module of modules) {
    const text = found.get(`${module}.d.ts`) ?? ''
    await writeFile(join(dist, `${module}.d.ts`), esDeclaration(module, text))
  }
}

/**
 * The declaration of a public module for ES modules. One that names a package, as adapters name their
 * frameworks, is repeated, since that package may only have ES modules.
 */
function esDeclaration(module: string, text: string): string {
  const inCommonJs = (specifier: string): string => {
    const path = posix.relative(posix.dirname(module), posix.join('cjs', specifier))
    return path.startsWith('.') ? path : `./${path}`
  }
  if (!/^(import|export) .*from '[^.]/m.test(text)) {
    return `export * from '${inCommonJs(`${module}.js`)}'\n`
  }
  return text.replaceAll(RELATIVE, (_, before: string, specifier: string) => {
    return before + inCommonJs(posix.join(posix.dirname(module), specifier))
  })
}

/** A specifier of a declaration that leads to another file of the package. */
const RELATIVE = /((?:from |import\(|import )['"])(\.[^'"]+)(?=['"])/g

/** The declarations of the subpaths and those that they name, with the specifiers that JavaScript has. */
async function reachable(entries: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const files = new Set(entries)
  for (const file of files) {
    const text = await readFile(join(dist, file), 'utf8')
    const renamed = text.replaceAll(RELATIVE, (_, before: string, specifier: string) => {
      const path = specifier.replace(/\.ts$/, '')
      files.add(posix.join(posix.dirname(file), `${path}.d.ts`))
      return `${before}${path}.js`
    })
    found.set(file, renamed)
  }
  return found
}

/** Drops comments and spaces, which the source and the declarations have. All names stay. */
async function dropComments(): Promise<void> {
  const strip = async (file: string): Promise<void> => {
    const path = join(dist, file)
    const { code } = await transform(await readFile(path, 'utf8'), {
      target: 'es2022',
      minifyWhitespace: true,
      // A stack trace then leads to a short line.
      lineLimit: 120,
    })
    await writeFile(path, code)
  }
  await Promise.all((await filesOf(dist, '.js')).map(strip))
}

async function buildCommonJs(modules: readonly string[]): Promise<void> {
  const onlyEs = new Set(Object.keys((await readManifest()).dependencies))
  const taken = new Map<string, Set<string>>()
  const files = new Set(modules.map((module) => `${module}.js`))
  for (const file of files) {
    const module = toCommonJs(file, await readFile(join(dist, file), 'utf8'), onlyEs)
    for (const specifier of module.files) files.add(posix.join(posix.dirname(file), specifier))
    for (const [name, exports] of module.bundled) {
      taken.set(name, new Set([...(taken.get(name) ?? []), ...exports]))
    }
    await mkdir(dirname(join(commonJs, file)), { recursive: true })
    await writeFile(join(commonJs, file), module.code)
  }
  for (const [name, exports] of taken) await bundleDependency(name, [...exports])
}

/** Writes what this package uses of a dependency for `require`, with the dependency's license. */
async function bundleDependency(name: string, exports: readonly string[]): Promise<void> {
  const license = await readFile(join(root, 'node_modules', name, 'LICENSE'), 'utf8').catch(() =>
    readFile(join(root, 'node_modules', name, 'LICENSE.md'), 'utf8'),
  )
  await bundle({
    stdin: { contents: `export { ${exports.join(', ')} } from '${name}'`, resolveDir: root },
    outfile: join(commonJs, 'bundled', `${name}.js`),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2022',
    minifyWhitespace: true,
    lineLimit: 120,
    legalComments: 'none',
    banner: { js: `/*! ${name}\n${license.trim()}\n*/` },
    logLevel: 'silent',
  })
}

async function filesOf(folder: string, end: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(end))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

try {
  await build()
} catch (error) {
  if (!(error instanceof BuildError || error instanceof ModuleFormError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
