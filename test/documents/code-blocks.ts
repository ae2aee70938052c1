import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

/** One fenced block of a document, or of a docstring. */
export interface CodeBlock {
  /** The file it stands in, relative to the repository. */
  readonly file: string
  /** The line of its first line of code, counted from 1. */
  readonly line: number
  readonly language: string
  readonly code: string
}

/** The pages that users and contributors read: the top ones, and all that are written in `docs/`. */
export function documents(): string[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'))
  const pages = filesIn('docs', '.md').filter((file) => !file.startsWith(join('docs', 'api')))
  return [...top, ...pages].sort()
}

/** The sources whose docstrings hold examples. */
export function sources(): string[] {
  return filesIn('src', '.ts').sort()
}

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
}

export function readDocument(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** A fence, with what stands before it on its line: nothing, the indent of a list, or ` * `. */
const FENCE = /^(?<margin>[ \t]*(?:\*[ ])?[ \t]*)```(?<language>\w*)[ \t]*$/

/** Every fenced block of a file, without the margin that its fence has. */
export function codeBlocks(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { line: number; language: string; margin: number; lines: string[] } | null = null
  readDocument(file)
    .split('\n')
    .forEach((text, index) => {
      const fence = FENCE.exec(text)?.groups
      if (open === null) {
        if (fence === undefined) return
        const { margin = '', language = '' } = fence
        open = { line: index + 2, language, margin: margin.length, lines: [] }
      } else if (fence === undefined) {
        open.lines.push(text.slice(open.margin))
      } else {
        const { line, language, lines } = open
        blocks.push({ file, line, language, code: `${lines.join('\n')}\n` })
        open = null
      }
    })
  return blocks
}
