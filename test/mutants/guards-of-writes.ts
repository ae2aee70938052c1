import type { MutantGroup } from './mutant.ts'
import { BATCHER, CONTRACT, IN_COMPANY, SHARED } from './test-files.ts'

const operations = 'src/postgres/operations'

/** Saves, touches and changes of one entry. */
export const writeMutants: readonly MutantGroup[] = [
  {
    file: `${operations}/save.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the lock of a save that notes no access',
        from: `
        for no key update\`,`,
        to: '`,',
        tests: ['test/postgres/held-rows.test.ts'],
      },
      {
        without: 'the owner in a shared save',
        from: `where \${isOwned({ user: 'c.user_id', version: 'c.version' })} and s.expires_at > now()`,
        to: 'where s.expires_at > now()',
        tests: [IN_COMPANY],
      },
      {
        without: 'expiry in a shared save',
        from: `version: 'c.version' })} and s.expires_at > now()`,
        to: `version: 'c.version' })}`,
        tests: [IN_COMPANY],
      },
      {
        without: 'leaving out sessions that others hold',
        from: 'for no key update of s skip locked',
        to: 'for no key update of s',
        tests: [BATCHER],
      },
      {
        without: 'the lock of the sessions of a shared save',
        from: `
        for no key update of s skip locked`,
        to: '',
        tests: [IN_COMPANY, BATCHER],
      },
      {
        without: 'accesses that were noted a moment ago',
        from: ' and not live.is_noted',
        to: '',
        tests: [SHARED],
      },
      {
        without: 'taking each session once in a shared save',
        from: 'isExclusive: true',
        to: 'isExclusive: false',
        tests: [BATCHER],
      },
      {
        without: 'the bound in bytes of a shared save',
        from: 'sizeOf: ({ written }) => sizeOfEntries(written)',
        to: 'sizeOf: () => 0',
        tests: [BATCHER],
      },
      {
        without: 'trying a session alone that a shared save has left out',
        from: 'results.get(id) ?? null',
        to: "results.get(id) ?? { status: 'gone' }",
        tests: [BATCHER],
      },
    ],
  },
  {
    file: `${operations}/touch.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'expiry of a session to touch',
        from: 'where s.id = ${id} and s.expires_at > now()',
        to: 'where s.id = ${id}',
      },
      {
        without: 'expiry of sessions to touch together',
        from: `
        where s.expires_at > now()`,
        to: `
        where true`,
        tests: [IN_COMPANY],
      },
      {
        without: 'passing over sessions that others hold',
        from: 'for no key update of s skip locked',
        to: 'for no key update of s',
        tests: [BATCHER],
      },
      {
        without: 'touching each session once in a statement',
        from: 'isExclusive: true',
        to: 'isExclusive: false',
        tests: [SHARED],
      },
      {
        without: 'collecting touches that no caller waits for',
        from: 'mayWait: ({ mayWait = false }) => mayWait',
        to: 'mayWait: () => false',
        tests: [BATCHER],
      },
    ],
  },
  {
    file: `${operations}/update-entry.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the value that an update replaces',
        from: `key = \${key} and value = \${expected}
          and exists (select from live)
        returning key\`,
  )
  const removed`,
        to: `key = \${key}
          and exists (select from live)
        returning key\`,
  )
  const removed`,
      },
      {
        without: 'the lock of the live session when an update replaces',
        from: `
          and exists (select from live)
        returning key\`,
  )
  const removed`,
        to: `
        returning key\`,
  )
  const removed`,
      },
      {
        without: 'the value that an update removes',
        from: `key = \${key} and value = \${expected}
          and exists (select from live)
        returning key\`,
  )
  return`,
        to: `key = \${key}
          and exists (select from live)
        returning key\`,
  )
  return`,
      },
      {
        without: 'the lock of the live session when an update removes',
        from: `
          and exists (select from live)
        returning key\`,
  )
  return`,
        to: `
        returning key\`,
  )
  return`,
      },
      {
        without: 'the lock of the live session when an update adds',
        from: `
        from live
        on conflict (session_id, key) do nothing`,
        to: `
        on conflict (session_id, key) do nothing`,
      },
      {
        without: 'the look whether a key is still absent',
        from: 'on conflict (session_id, key) do nothing',
        to: 'on conflict (session_id, key) do update set value = excluded.value',
      },
    ],
  },
  {
    file: `${operations}/take.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the lock of the live session when a value is taken',
        from: ' and exists (select from live)',
        to: '',
      },
    ],
  },
]
