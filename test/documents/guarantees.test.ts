import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { roundTrips, roundTripsAcross } from '../postgres/round-trips.ts'
import { readDocument, root } from './code-blocks.ts'

const page = readDocument('docs/guarantees.md')

/** What the page says of each promise, by its heading. */
const promises = page
  .split(/^## /m)
  .filter((section) => /^\d+\. /.test(section))
  .map((section): [promise: string, proofs: Proof[]] => [firstLine(section), proofsIn(section)])

interface Proof {
  readonly file: string
  readonly name: string
}

function firstLine(text: string): string {
  return text.slice(0, text.indexOf('\n'))
}

/** Lines such as "- `test/file.test.ts`: name of a test", which may go on indented. */
function proofsIn(section: string): Proof[] {
  const items = section.matchAll(/^- `(?<file>(?:src|test)\/\S+\.ts)`: (?<name>.+(?:\n {2}.+)*)/gm)
  return [...items].map(({ groups: { file = '', name = '' } = {} }) => ({
    file,
    name: name.replaceAll(/\n {2}/g, ' '),
  }))
}

/** A name as source text has it: in any quotes, and with a placeholder for each "…". */
function asInSource(name: string): RegExp {
  const parts = name.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`(['"\`])${parts.join('(?:\\$\\{[\\w.]+\\}|%\\w)')}\\1`)
}

test('there are thirteen promises, and each names its proofs', () => {
  expect(promises).toHaveLength(13)
  for (const [promise, proofs] of promises) expect(proofs, promise).not.toEqual([])
})

test.each(promises)('the tests that prove "%s" exist', (_, proofs) => {
  const missing = proofs.filter(({ file, name }) => {
    const path = join(root, file)
    return !existsSync(path) || !asInSource(name).test(readFileSync(path, 'utf8'))
  })
  expect(missing).toEqual([])
})

test('the table of round trips is the one that the tests count', () => {
  const counted = [
    ...roundTrips.map(({ who, does, statements }) => [who, does, statements]),
    ...roundTripsAcross.map(({ call, statements }) => ['the application', call, statements]),
  ]
  const rows = counted.map(([who, does, statements]) => `| ${who} | ${does} | ${say(statements)} |`)
  expect(page).toContain(`| who | does | statements |\n|---|---|---|\n${rows.join('\n')}\n`)
})

function say(statements: unknown): string {
  return Array.isArray(statements) && statements.length > 0 ? statements.join(', ') : 'none'
}
