import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readDocument, root } from './code-blocks.ts'

const tested = readFileSync(join(root, 'examples', 'clients', 'lines.ts'), 'utf8')

/** The lines of the page, by client. */
const rows = [
  ...readDocument('docs/recipes/clients-and-orms.md').matchAll(
    /^\| (?<client>[^|]+) \| `(?<line>from\w+\([^`]*\))`/gm,
  ),
].map(({ groups: { client = '', line = '' } = {} }): [client: string, line: string] => [
  client,
  line,
])

test('there is a line for each client', () => {
  expect(rows.length).toBeGreaterThanOrEqual(17)
})

test.each(rows)('the line for %s is one that the tests run: %s', (client, line) => {
  // A single client is tested with the drivers, and so is one without transactions; Bun's runs on Bun.
  if (['fromPgClient(client)', 'fromNeon(sql)', 'fromBunSql(sql)'].includes(line)) return
  const made = line.replace('db.$pool)', 'db.$pool as')
  expect(tested, client).toContain(`driver: ${made}`)
})
