import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run-command.ts'

/** What a page of `docs/frameworks` has its reader do, in the order of the page. */
export interface FrameworkPage {
  /** Makes the framework's own starter in the folder `shop`: `npx create-… shop`. */
  readonly make: string
  /** What the reader types in that folder: the packages, and the line in `.env`. */
  readonly setup: readonly string[]
  /** Files that the reader writes, with their paths. */
  readonly files: readonly PageFile[]
  /** Starts the development server: `npm run dev`. */
  readonly develop: string
  /** Builds and starts the application: `npm run build && …`. */
  readonly serve: string
}

/** A block of code whose first comment is its path. */
export interface PageFile {
  readonly path: string
  readonly code: string
  /** Whether the code goes into a file of the starter, beside what that has. */
  readonly isAddition: boolean
}

/** A page that lacks a line that its reader needs. */
export class PageError extends Error {}

/** Reads the sections "Install" and "A login" of a page. */
export function readPage(name: string): FrameworkPage {
  const page = readFileSync(join(root, 'docs', 'frameworks', `${name}.md`), 'utf8')
  const text = [sectionOf(page, 'Install'), sectionOf(page, 'A login')].join('\n')
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
    ([, language = '', code = '']) => ({ language, code }),
  )
  const lines = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.split('\n'))
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '')
  const only = (what: string, pattern: RegExp): string => {
    const [line, another] = lines.filter((candidate) => pattern.test(candidate))
    if (line !== undefined && another === undefined) return line
    throw new PageError(`docs/frameworks/${name}.md must have one line that ${what}.`)
  }
  const make = only('makes the starter in "shop" and enters it', / shop\b.* && cd shop$/)
  const develop = only('starts the development server', /^(NODE_ENV=development |npm run dev\b)/)
  const serve = only(
    'builds and starts the application',
    /^(npm run build|npx tsc --outDir dist|bun build .*) && /,
  )
  return {
    make: make.replace(/ && cd shop$/, ''),
    setup: lines.filter((line) => ![make, develop, serve].includes(line)),
    files: blocks.flatMap(({ language, code }) => (language === 'sh' ? [] : fileOf(code))),
    develop,
    serve,
  }
}

function sectionOf(page: string, heading: string): string {
  const [, text = ''] = page.split(`\n## ${heading}\n`)
  return text.split('\n## ')[0] ?? ''
}

const FIRST_LINE = /^(?:---\n)?(?:\/\/|<!--) ([\w./+()$[\]-]+\.\w+)( \(add\))?(?: -->)?\n/

/** In scripts the path is the first line, in markup a comment, and in Astro's files after the fence. */
function fileOf(code: string): PageFile[] {
  const [, path, add] = FIRST_LINE.exec(code) ?? []
  return path === undefined ? [] : [{ path, code, isAddition: add !== undefined }]
}
