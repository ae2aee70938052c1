import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { type CodeBlock, codeBlocks, documents, readDocument, sources } from './code-blocks.ts'
import { typeCheck, typeCheckLoosely } from './type-check.ts'

const inDocuments = documents().flatMap(codeBlocks).filter(isTypeScript)
const inDocstrings = sources().flatMap(codeBlocks).filter(isTypeScript).map(withItsOwnModule)

function isTypeScript({ language }: CodeBlock): boolean {
  return language === 'ts'
}

/** An example knows the module whose docstring it stands in. The import adds no line. */
function withItsOwnModule(block: CodeBlock): CodeBlock {
  const exported = readDocument(block.file).matchAll(
    /^export (?:async )?(?:const|class|function) (\w+)/gm,
  )
  const used = [...exported].flatMap(([, name = '']) => {
    const isUsed = new RegExp(`\\b${name}\\b`).test(block.code)
    const isImported = new RegExp(`^import .*\\b${name}\\b`, 'm').test(block.code)
    return isUsed && !isImported ? [name] : []
  })
  const code = `import { ${used.join(', ')} } from './${basename(block.file)}'; ${block.code}`
  return used.length === 0 ? block : { ...block, code }
}

/** Types declared for the whole application would hold for all other examples as well. */
function isAugmentation({ code }: CodeBlock): boolean {
  return code.includes("declare module 'pg-sessions'")
}

function declaration({ code }: CodeBlock): string {
  return /^declare module 'pg-sessions' \{$.*?^\}$/ms.exec(code)?.[0] ?? code
}

test('every example in the documents and in a docstring compiles, strictly', async () => {
  expect(inDocuments.length).toBeGreaterThan(20)
  expect(inDocstrings.length).toBeGreaterThan(20)
  // One program for all, since each checks the declarations of the frameworks, which takes a second or more.
  const blocks = [...inDocuments, ...inDocstrings].filter((block) => !isAugmentation(block))
  expect(await typeCheck(blocks)).toEqual([])
}, 120_000)

test('every recipe beside other packages uses what this package has', async () => {
  const blocks = documents()
    .flatMap(codeBlocks)
    .filter(({ file, language }) => file.startsWith('docs/recipes/') && language === 'js')
  expect(blocks.length).toBeGreaterThan(4)
  const code = "import { signUp } from 'pg-sessions'\nsession.signInn('ann')\n"
  const wrong = { file: 'README.md', line: 7, language: 'js', code }
  // One program for both, since each takes a second or more.
  expect(await typeCheckLoosely([...blocks, wrong])).toEqual([
    expect.stringContaining('README.md:7: '),
    expect.stringContaining('README.md:8: '),
  ])
}, 120_000)

test('every example that declares types for the whole application compiles by itself', async () => {
  const augmentations = [...inDocuments, ...inDocstrings].filter(isAugmentation)
  expect(augmentations).not.toEqual([])
  // Those that declare the same words give each other nothing, so one program is enough for them.
  const declarations = new Set(augmentations.map(declaration))
  for (const one of declarations) {
    const blocks = augmentations.filter((block) => declaration(block) === one)
    expect(await typeCheck(blocks)).toEqual([])
  }
}, 120_000)

test('an example that does not compile is told with its file and line', async () => {
  const code = "const half: number = 'half'\n"
  expect(await typeCheck([{ file: 'README.md', line: 7, language: 'ts', code }])).toEqual([
    "README.md:7: Type 'string' is not assignable to type 'number'.",
  ])
}, 120_000)
