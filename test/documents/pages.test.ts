import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SessionEvents } from 'pg-sessions'
import { expect, test } from 'vitest'
import { readDocument, root } from './code-blocks.ts'

/** The level of each event in the log. The type leaves none out. */
const levels: Readonly<Record<keyof SessionEvents, 'debug' | 'info' | 'warn'>> = {
  created: 'debug',
  signedIn: 'debug',
  impersonationEnded: 'debug',
  rotated: 'debug',
  renewed: 'debug',
  cleared: 'debug',
  destroyed: 'debug',
  expired: 'debug',
  tokenUnknown: 'debug',
  tokenReused: 'warn',
  tokenRefused: 'debug',
  userGone: 'warn',
  purged: 'info',
  decodeFailed: 'warn',
  unsealFailed: 'warn',
  valueUnfit: 'warn',
  sessionUnreadable: 'warn',
  storeUnavailable: 'warn',
  adminEnded: 'info',
  adminViewed: 'info',
  lateSaveFailed: 'warn',
}

test('the page on security lists every event', () => {
  const rows = readDocument('docs/security.md').matchAll(
    /^\| `(\w+)` \|.*\| (debug|info|warn) \|$/gm,
  )
  const listed = [...rows].map(([, name = '', level]) => [name, level])
  expect(Object.fromEntries(listed)).toEqual(levels)
})

test('the page on wai-session-postgresql has a place for every name of it, kept behaviour and defect', () => {
  const page = readDocument('docs/from-wai-session-postgresql.md')
  const headings = page.split('\n').filter((line) => line.startsWith('### '))
  const names = [
    'dbStore',
    'clearSession',
    'defaultSettings',
    'fromSimpleConnection',
    'SimpleConnection',
    'class WithPostgreSQLConn',
    'withPostgreSQLConn',
    'purgeOldSessions',
    'purger',
    'ratherSecureGen',
    'storeSettingsSessionTimeout',
    'storeSettingsKeyGen',
    'storeSettingsCreateTable',
    'storeSettingsLog',
    'storeSettingsPurgeInterval',
  ]
  for (const name of names) expect(headings.join('\n')).toContain(`\`${name}\``)
  const kept = Array.from({ length: 10 }, (_, index) => `K${index + 1}`)
  const defects = Array.from({ length: 18 }, (_, index) => `D${index + 1}`)
  for (const number of [...kept, ...defects]) expect(page).toContain(`\n| ${number} | `)
  // The page says that each has its test.
  const tests = ['kept-behaviour', 'defects'].map((name) =>
    readDocument(`test/original/${name}.test.ts`),
  )
  for (const number of [...kept, ...defects]) {
    expect(tests.join('\n')).toMatch(new RegExp(`(?:it|describe)\\(['"]${number}: `))
  }
})

test('every decision says what it was about, what was decided and what follows, on one page', () => {
  const folder = 'docs/decisions'
  const index = readDocument(`${folder}/README.md`)
  const files = readdirSync(join(root, folder)).filter((file) => file !== 'README.md')
  expect(files.length).toBeGreaterThan(10)
  for (const file of files) {
    const text = readDocument(`${folder}/${file}`)
    const [title = ''] = /(?<=^# \d+\. ).*/.exec(text) ?? []
    expect(index, file).toContain(`[${title}](${file})`)
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    const parts = headings.filter((heading) =>
      /^(Context|Decision|Consequences)$/.test(heading ?? ''),
    )
    expect(parts, file).toEqual(['Context', 'Decision', 'Consequences'])
    expect(text.split('\n').length, file).toBeLessThanOrEqual(45)
  }
})
