import { readFile } from 'node:fs/promises'
import { defaultSettings } from 'pg-sessions'
import { describe, expect, test } from 'vitest'
import { adminOptions } from '../../src/admin/admin-options.ts'
import { cookieOptions } from '../../src/cookie/cookie-settings.ts'
import { bearerOptions } from '../../src/http/bearer/bearer-sessions.ts'
import { databaseOptions } from '../../src/postgres/store-options.ts'
import { sessionOptions } from '../../src/session/settings.ts'

const page = await readFile(new URL('../../docs/settings.md', import.meta.url), 'utf8')

/** The rows of a table by the name in their first cell: what stands in the second. */
function rowsOf(heading: string): Map<string, string> {
  const table =
    page
      .slice(page.indexOf(`| ${heading} | default |`))
      .split('\n\n')[0]
      ?.replace(/^.*\n/, '') ?? ''
  const rows = table.matchAll(/^\| `(\w+)` \| ([^|]*)\|/gm)
  return new Map(
    [...rows].map(([, name, fallback]) => [name as string, (fallback as string).trim()]),
  )
}

describe('docs/settings.md', () => {
  test('names every setting of createSessions, and no other', () => {
    const names = [
      'database',
      'store',
      'user',
      'cookie',
      'seal',
      'distributed',
      ...Object.keys({ ...sessionOptions, ...databaseOptions }),
    ]
    expect([...rowsOf('setting').keys()].sort()).toEqual(names.sort())
  })

  test('names every option of bearer sessions, and no other', () => {
    const names = [...rowsOf('option of `bearerSessions`').keys()].sort()
    expect(names).toEqual(Object.keys(bearerOptions).sort())
  })

  test('names every setting of the cookie, and no other', () => {
    expect([...rowsOf('`cookie`').keys()].sort()).toEqual(Object.keys(cookieOptions).sort())
  })

  test('shows the defaults that are in force', () => {
    const shown = rowsOf('setting')
    for (const [name, value] of Object.entries(defaultSettings)) {
      if (typeof value === 'string') expect(shown.get(name), name).toBe(`\`'${value}'\``)
    }
    const limits =
      shown
        .get('limits')
        ?.replaceAll(/[`_]/g, '')
        .replaceAll(/(\w+):/g, '"$1":') ?? ''
    expect(JSON.parse(limits)).toEqual(defaultSettings.limits)
    for (const [name, { fallback }] of Object.entries(cookieOptions)) {
      if (typeof fallback !== 'string' && typeof fallback !== 'boolean') continue
      const row = rowsOf('`cookie`').get(name)?.replaceAll(/[`']/g, '')
      expect(row, name).toBe(String(fallback))
    }
  })
})

test('docs/admin.md names every option of the admin page, and no other', async () => {
  const admin = await readFile(new URL('../../docs/admin.md', import.meta.url), 'utf8')
  const table = admin.slice(admin.indexOf('| option | default |')).split('\n\n')[0] ?? ''
  const names = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(names.sort()).toEqual(Object.keys(adminOptions).sort())
})
