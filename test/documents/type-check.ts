import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { compile } from '../../scripts/compile.ts'
import { type CodeBlock, readDocument, root } from './code-blocks.ts'
import type * as surroundings from './surroundings.ts'

/** Where the documents' examples are compiled; those of docstrings are beside their own file. */
const FOLDER = join('test', 'documents')
/** Makes the surroundings global in these programs, and in no other. */
const GLOBALS = join(FOLDER, 'globals.ts')
/** Declares packages that are not installed. */
const AMBIENT = join(FOLDER, 'ambient.d.ts')

/** A complaint of the compiler: file, line, code and the message, whose further lines are indented. */
const COMPLAINT = /^(\S.*)\((\d+),\d+\): error TS(\d+): (.*(?:\n[ \t].*)*)/gm

/**
 * Compiles examples as modules of one program, as strictly as this repository itself, and gives what
 * the compiler says, each with the line of the document.
 */
export function typeCheck(blocks: readonly CodeBlock[]): Promise<string[]> {
  return check(blocks)
}

/**
 * Compiles examples in JavaScript, which may take names and packages for granted that this repository does
 * not have: those are of any type. What the examples use of this package is checked.
 */
export function typeCheckLoosely(blocks: readonly CodeBlock[]): Promise<string[]> {
  const imported = blocks.flatMap(({ code }) => [...code.matchAll(/ from '([^.'][^']*)'$/gm)])
  const missing = new Set(imported.flatMap(([, name = '']) => (isInstalled(name) ? [] : [name])))
  const ambient = [...missing].map((name) => `declare module '${name}'\n`).join('')
  return check(blocks, { strict: false, exactOptionalPropertyTypes: false }, ambient, UNNAMED)
}

/** Names that an example takes for granted, and a promise of nothing in particular. */
const UNNAMED: readonly string[] = ['2304', '2552', '18004', '2794']

function isInstalled(name: string): boolean {
  if (/^(node:|pg-sessions(\/|$))/.test(name)) return true
  const [, packageName = ''] = /^((?:@[^/]*\/)?[^/]+)/.exec(name) ?? []
  return existsSync(join(root, 'node_modules', packageName))
}

async function check(
  blocks: readonly CodeBlock[],
  options: object = {},
  ambientModules = '',
  ignored: readonly string[] = [],
): Promise<string[]> {
  const files = new Map(blocks.map((block) => [fileOf(block), block]))
  // The compiler finds packages in the folders above.
  const above = join(root, 'node_modules', '.type-checks')
  await mkdir(above, { recursive: true })
  const folder = await mkdtemp(join(above, 'program-'))
  try {
    await write(folder, GLOBALS, globals())
    await write(folder, AMBIENT, ambientModules)
    for (const [file, { code }] of files) {
      // Even an example without imports is a module, whose names are its own.
      await write(folder, file, `${code}export {}\n`)
    }
    await write(
      folder,
      'tsconfig.json',
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: { ...compilerOptions, ...options, rootDirs: [root, folder] },
        include: [],
        files: [GLOBALS, AMBIENT, ...files.keys()],
      }),
    )
    const { ok, output } = await compile(['--pretty', 'false', '-p', folder])
    const complaints = [...output.matchAll(COMPLAINT)]
    if (!ok && complaints.length === 0) throw new Error(output)
    return complaints.flatMap(([, path = '', line = '', code = '', message = '']) => {
      const [file, block] =
        [...files].find(([file]) => join(root, path) === join(folder, file)) ?? []
      if (file === undefined || block === undefined || ignored.includes(code)) return []
      const text = message.replaceAll(/\s+/g, ' ')
      return [`${block.file}:${block.line + Number(line) - 1}: ${text}`]
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Users write applications: they do not declare the types of what they export. */
const compilerOptions = {
  declaration: false,
  isolatedDeclarations: false,
  experimentalDecorators: true, // as NestJS asks of them
  noEmit: true,
}

async function write(folder: string, file: string, text: string): Promise<void> {
  const path = join(folder, file)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

function globals(): string {
  const declared = readDocument('test/documents/surroundings.ts').matchAll(
    /^export declare const (\w+)/gm,
  )
  const names = [...declared].map(([, name]) => name as keyof typeof surroundings)
  const lines = names.map((name) => `const ${name}: typeof surroundings.${name}`)
  return `import type * as surroundings from './surroundings.ts'\ndeclare global {\n${lines.join('\n')}\n}\n`
}

function fileOf({ file, line }: CodeBlock): string {
  const folder = file.endsWith('.md') ? FOLDER : dirname(file)
  return join(folder, `${file.replaceAll(/\W+/g, '-')}-${line}.ts`)
}
