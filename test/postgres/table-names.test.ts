import { expect, test } from 'vitest'
import { ConfigurationError } from '../../src/errors.ts'
import {
  derivedName,
  quoteLiteral,
  resolveTableNames,
  type TableNameOptions,
} from '../../src/postgres/table-names.ts'

test('the defaults are quoted, qualified and frozen', () => {
  const names = resolveTableNames()
  expect(names).toEqual({
    schema: '"sessions"',
    session: '"sessions"."session"',
    sessionData: '"sessions"."session_data"',
    migration: '"sessions"."migration"',
    sessionEntry: '"sessions"."session_entry"',
    raw: {
      schema: 'sessions',
      session: 'session',
      sessionData: 'session_data',
      migration: 'migration',
      sessionEntry: 'session_entry',
    },
  })
  expect(Object.isFrozen(names) && Object.isFrozen(names.raw)).toBe(true)
})

test('a session table of one’s own brings its own companions, which can still be named', () => {
  expect(resolveTableNames({ tables: { session: 'shop' } }).raw).toMatchObject({
    sessionData: 'shop_data',
    migration: 'shop_migration',
    sessionEntry: 'shop_entry',
  })
  const named = resolveTableNames({ tables: { session: 'shop', migration: 'versions' } })
  expect(named.raw.migration).toBe('versions')
})

test('a quote in a name is doubled, a backslash in a literal escaped', () => {
  expect(resolveTableNames({ schema: 'we"ird' }).session).toBe('"we""ird"."session"')
  expect(quoteLiteral("it's")).toBe("'it''s'")
  expect(quoteLiteral('a\\b')).toBe(" E'a\\\\b'")
})

test('derived names never exceed what PostgreSQL keeps, and stay different', () => {
  const [one, two] = [`${'é'.repeat(30)}a`, `${'é'.repeat(30)}b`]
  const derived = [one, two].map((table) => derivedName(table, 'purge_at_idx'))
  expect(new Set(derived).size).toBe(2)
  for (const name of derived) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
    expect(name).toMatch(/_purge_at_idx$/)
  }
})

test.each<[string, TableNameOptions, RegExp]>([
  ['empty', { schema: '' }, /^schema: .*empty.*Write a name/],
  ['too long', { tables: { session: 'x'.repeat(64) } }, /^tables.session: .* 64 bytes/],
  ['too long in bytes', { schema: 'é'.repeat(32) }, /64 bytes/],
  ['with NUL', { tables: { migration: 'a\0b' } }, /^tables.migration: .*NUL/],
  ['with half a character', { tables: { sessionData: 'a\ud800' } }, /well-formed/],
  ['no string', { schema: 7 as never }, /not number/],
  ['reserved', { schema: 'pg_catalog' }, /reserved.*'sessions'/],
  ['reserved by the standard', { schema: 'information_schema' }, /reserved/],
  ['used twice', { tables: { sessionData: 'session' } }, /both tables.session and/],
  ['the view’s', { tables: { sessionData: 'session_entry' } }, /the view of readable entries/],
  ['an index’s', { tables: { migration: 'session_pkey' } }, /an index of tables.session/],
])('a name that is %s is refused, with what to write instead', (_, options, message) => {
  expect(() => resolveTableNames(options)).toThrow(ConfigurationError)
  expect(() => resolveTableNames(options)).toThrow(message)
})
