import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as errors from '../../src/errors.ts'
import { readDocument } from './code-blocks.ts'

/** Each line of the table: code, class, status. */
const rows = readDocument('docs/errors.md').matchAll(
  /^\| `(?<code>ERR_\w+)` \| `(?<name>\w+)` \| (?<status>\d+) \|/gm,
)
const listed = [...rows].map(({ groups: { code = '', name = '', status = '' } = {} }) => {
  return { code, name, status: Number(status) }
})

const source = readdirSync(new URL('../../src/errors/', import.meta.url))
  .map((file) => readDocument(`src/errors/${file}`))
  .join('\n')

/** The codes as the source declares them. */
const declared = [...source.matchAll(/^ {2}\| '(ERR_\w+)'/gm)].map(([, code = '']) => code)

test('the page on errors has every code once, and no other', () => {
  expect(declared.length).toBeGreaterThan(10)
  expect(listed.map(({ code }) => code).sort()).toEqual([...declared].sort())
})

test.each(listed)('$code is that of $name, which answers with $status', (row) => {
  const { prototype } = (errors as Record<string, unknown>)[row.name] as typeof errors.SessionError
  expect(prototype.statusCode).toBe(row.status)
  const [, body = ''] = source.split(`export class ${row.name} `)
  expect(body.split('\nexport class ')[0]).toContain(`'${row.code}'`)
})
