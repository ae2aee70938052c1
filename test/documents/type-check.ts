import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { type CodeBlock, readDocument, root } from './code-blocks.ts'
import type * as surroundings from './surroundings.ts'

/** Where the documents' examples are compiled; those of docstrings are beside their own file. */
const FOLDER = join(root, 'test', 'documents')
/** Makes the surroundings global in these programs, and in no other. */
const GLOBALS = join(FOLDER, 'globals.ts')
/** Declares packages that are not installed. */
const AMBIENT = join(FOLDER, 'ambient.d.ts')

/** Parsed once for all programs. */
const parsed = new Map<string, ts.SourceFile | undefined>()

/**
 * Compiles examples as modules of one program, as strictly as this repository itself, and gives what
 * the compiler says, each with the line of the document.
 */
export function typeCheck(blocks: readonly CodeBlock[]): string[] {
  return check(blocks, compilerOptions(), globals())
}

/**
 * Compiles examples in JavaScript, which may take names and packages for granted that this repository does
 * not have: those are of any type. What the examples use of this package is checked.
 */
export function typeCheckLoosely(blocks: readonly CodeBlock[]): string[] {
  const options = { ...compilerOptions(), strict: false, exactOptionalPropertyTypes: false }
  const imported = blocks.flatMap(({ code }) => [...code.matchAll(/ from '([^.'][^']*)'$/gm)])
  const missing = new Set(imported.flatMap(([, name = '']) => (isInstalled(name) ? [] : [name])))
  const ambient = [...missing].map((name) => `declare module '${name}'\n`).join('')
  return check(blocks, options, globals(), ambient, UNNAMED)
}

/** Names that an example takes for granted, and a promise of nothing in particular. */
const UNNAMED: readonly number[] = [2304, 2552, 18_004, 2794]

function isInstalled(name: string): boolean {
  if (/^(node:|pg-sessions(\/|$))/.test(name)) return true
  const [, packageName = ''] = /^((?:@[^/]*\/)?[^/]+)/.exec(name) ?? []
  return existsSync(join(root, 'node_modules', packageName))
}

function check(
  blocks: readonly CodeBlock[],
  options: ts.CompilerOptions,
  globalNames: string,
  ambientModules = '',
  ignored: readonly number[] = [],
): string[] {
  const files = new Map(blocks.map((block) => [fileOf(block), block]))
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (file) =>
    file === GLOBALS || file === AMBIENT || files.has(file) || fileExists(file)
  host.getSourceFile = (file, version, ...rest) => {
    const block = files.get(file)
    // Even an example without imports is a module, whose names are its own.
    if (block) return ts.createSourceFile(file, `${block.code}export {}\n`, version)
    if (file === GLOBALS) return ts.createSourceFile(file, globalNames, version)
    if (file === AMBIENT) return ts.createSourceFile(file, ambientModules, version)
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, version, ...rest))
    return parsed.get(file)
  }
  const program = ts.createProgram([GLOBALS, AMBIENT, ...files.keys()], options, host)
  return [...files].flatMap(([file, block]) => {
    const source = program.getSourceFile(file)
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ]
    const counted = found.filter(({ code }) => !ignored.includes(code))
    return counted.map((diagnostic) => describe(diagnostic, block))
  })
}

function compilerOptions(): ts.CompilerOptions {
  const file = join(root, 'tsconfig.json')
  const { config } = ts.readConfigFile(file, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  return {
    ...options,
    // Users write applications: they do not declare the types of what they export.
    declaration: false,
    isolatedDeclarations: false,
    experimentalDecorators: true, // as NestJS asks of them
    noEmit: true,
  }
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
  const folder = file.endsWith('.md') ? FOLDER : dirname(join(root, file))
  return join(folder, `${file.replaceAll(/\W+/g, '-')}-${line}.ts`)
}

function describe(diagnostic: ts.Diagnostic, { file, line, code }: CodeBlock): string {
  const offset = code.slice(0, diagnostic.start ?? 0).split('\n').length - 1
  return `${file}:${line + offset}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`
}
