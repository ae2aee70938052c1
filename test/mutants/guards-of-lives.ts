import type { MutantGroup } from './mutant.ts'
import { BATCHER, CONTRACT, IN_COMPANY, SHARED } from './test-files.ts'

const operations = 'src/postgres/operations'

/** The guards that several operations share. */
const sharedSql: MutantGroup = {
  file: `${operations}/session-sql.ts`,
  tests: [CONTRACT],
  mutants: [
    {
      without: 'keeping a noted access that lies ahead',
      from: 'last_access_at = greatest(s.last_access_at, now()),',
      to: 'last_access_at = now(),',
      tests: [SHARED],
    },
    {
      without: 'keeping the later deadline',
      from: `expires_at = greatest(
            s.expires_at, least(s.absolute_expires_at, \${inFuture(\`coalesce(\${own}, \${idle})\`)})
          ),`,
      to: `expires_at = least(s.absolute_expires_at, \${inFuture(\`coalesce(\${own}, \${idle})\`)}),`,
    },
    {
      without: 'the absolute deadline of an access',
      from: `s.expires_at, least(s.absolute_expires_at, \${inFuture(\`coalesce(\${own}, \${idle})\`)})`,
      to: `s.expires_at, \${inFuture(\`coalesce(\${own}, \${idle})\`)}`,
    },
    {
      without: "the row's own idle timeout",
      from: `\${inFuture(\`coalesce(\${own}, \${idle})\`)}`,
      to: `\${inFuture(idle)}`,
    },
    {
      without: 'keeping the later purge bound',
      from: `greatest(
            s.purge_at, least(s.absolute_expires_at, \${inFuture(\`greatest(\${own}, \${purge})\`)})
          )\``,
      to: `least(s.absolute_expires_at, \${inFuture(\`greatest(\${own}, \${purge})\`)})\``,
    },
    {
      without: 'the absolute deadline of the purge bound',
      from: `s.purge_at, least(s.absolute_expires_at, \${inFuture(\`greatest(\${own}, \${purge})\`)})`,
      to: `s.purge_at, \${inFuture(\`greatest(\${own}, \${purge})\`)}`,
    },
    {
      without: 'the own idle timeout in the purge bound',
      from: `\${inFuture(\`greatest(\${own}, \${purge})\`)}`,
      to: `\${inFuture(purge)}`,
    },
    {
      without: 'never prolonging a grace',
      from: `greatest(interval '0', s.previous_until - (now() + \${overlap}))`,
      to: `(s.previous_until - (now() + \${overlap}))`,
    },
    {
      without: 'keeping the sealed successor on a touch that ends no grace',
      from: `case when \${overlap} is null then s.sealed_successor end`,
      to: 'null',
    },
    {
      without: 'dropping the sealed successor when its client has shown the new token',
      from: `case when \${overlap} is null then s.sealed_successor end`,
      to: 's.sealed_successor',
    },
    {
      without: "keeping each session's deletions from the others",
      from: ' and live.id = d.id',
      to: '',
      tests: [SHARED],
    },
    {
      without: 'the lock of the live session when a shared save deletes',
      from: 'as d (id, key), live\n        where session_id = d.id and ${sessionData}.key = d.key and live.id = d.id',
      to: 'as d (id, key)\n        where session_id = d.id and ${sessionData}.key = d.key',
      tests: [SHARED],
    },
    {
      without: "keeping each session's entries in a shared save",
      from: `
          on e.id = live.id`,
      to: `
          on true`,
      tests: [SHARED],
    },
    {
      without: 'the owner and the version',
      from: `\${isOwned({ user, version })} and s.expires_at > now()\``,
      to: `s.expires_at > now()\``,
    },
    {
      without: 'expiry in the guard of every write',
      from: `s.id = \${id} and \${isOwned({ user, version })} and s.expires_at > now()`,
      to: `s.id = \${id} and \${isOwned({ user, version })}`,
    },
    {
      without: 'the owner',
      from: `s.user_id is not distinct from \${user} and (`,
      to: '(',
    },
    {
      without: 'the version of the sign-in',
      from: ` and (\${version} is null or s.sign_ins = \${version})`,
      to: '',
    },
    {
      without: 'calls that do not say which version they saw',
      from: `(\${version} is null or s.sign_ins = \${version})`,
      to: `s.sign_ins = \${version}`,
    },
    {
      without: 'the end of the grace',
      from: ` and s.previous_until > now()`,
      to: '',
    },
    {
      without: 'the token before, in its grace',
      from: `
          or (s.previous_hash = any (\${hashes}) and s.previous_until > now())`,
      to: '',
    },
    {
      without: 'an answer where a session has no token before',
      from: ') is true)`',
      to: '))`',
    },
    {
      without: 'the lock of the live session when entries are deleted',
      from: `key = any (\${deleted}) and exists (select from live)`,
      to: `key = any (\${deleted})`,
    },
    {
      without: 'the lock of the live session when entries are written',
      from: `from live, unnest(\${keys}, \${values}) as e`,
      to: `from unnest(\${keys}, \${values}) as e`,
    },
  ],
}

const creating: readonly MutantGroup[] = [
  {
    file: `${operations}/create.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'a look whether a present session was made by this very call',
        from: 'where s.id = ${id} and s.secret_hash = ${hash}',
        to: 'where s.id = ${id}',
      },
      {
        without: "keeping each session's entries in a shared create",
        from: `
          on e.id = created.id`,
        to: `
          on true`,
        tests: [SHARED],
      },
      {
        without: 'taking each session once in a shared create',
        from: 'isExclusive: true',
        to: 'isExclusive: false',
        tests: [IN_COMPANY, SHARED],
      },
      {
        without: 'the answer that an id is present, alone',
        from: 'if (answer.isAtEnd) return PRESENT',
        to: 'if (answer.isAtEnd) return { status: "created", times: { now: 0 } as never, version: FIRST_VERSION }',
      },
      {
        without: 'the bound in bytes of a shared create',
        from: 'sizeOf: ({ entries }) => sizeOfEntries(entries)',
        to: 'sizeOf: () => 0',
        tests: [SHARED, BATCHER],
      },
    ],
  },
  {
    file: `${operations}/new-session.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the absolute deadline of a new session that would be idle longer',
        from: "least('infinity', now() + ${absolute}, now() + ${idle})",
        to: "least('infinity', now() + ${idle})",
      },
      {
        without: 'the idle deadline of a new session',
        from: "least('infinity', now() + ${absolute}, now() + ${idle})",
        to: "least('infinity', now() + ${absolute})",
      },
      {
        without: 'telling a visitor from a user at the start',
        from: 'case when ${newUser} is not null${isSignIn} then now() end',
        to: 'now()',
      },
      {
        without: 'hanging the entries of a replacement on its success',
        from: 'from ${made}, unnest(${keys}, ${values}) as e (key, value)',
        to: 'from unnest(${keys}, ${values}) as e (key, value)',
      },
    ],
  },
]

const ending: readonly MutantGroup[] = [
  {
    file: `${operations}/destroy.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'what was there before an end whose answer got lost',
        from: "return wasTheirs ? { status: 'ended', userId: before.userId } : found",
        to: 'return found',
        tests: ['test/faults/lost-endings.test.ts'],
      },
      {
        without: 'telling a live session from an expired one before an end whose answer got lost',
        from: 'before?.isLive && (',
        to: 'before !== undefined && (',
        tests: ['test/faults/lost-endings.test.ts'],
      },
      {
        without: 'the doubt about an end by token whose answer got lost',
        from: "return { status: 'gone', isInDoubt: true }",
        to: 'return found',
        tests: ['test/faults/lost-endings.test.ts'],
      },
      {
        without: 'the owner of a session to end',
        from: ' and (not ${hasOwner} or s.user_id = ${owner})',
        to: '',
      },
      {
        without: 'an owner of null who owns nothing',
        from: 'not ${hasOwner} or s.user_id = ${owner}',
        to: '${owner} is null or s.user_id = ${owner}',
      },
      {
        without: 'the token of a session to end',
        from: '= ${given.id} and found.is_held',
        to: '= ${given.id}',
      },
      {
        without: 'the token of a session to end, in a shared end',
        from: '= found.id and found.is_held',
        to: '= found.id',
        tests: [SHARED],
      },
      {
        without: 'passing over a held session in a shared end',
        from: 'for update of s skip locked',
        to: 'for update of s',
        tests: [SHARED],
      },
      {
        without: 'looking whether the token works',
        from: 's.expires_at <= now() or not ${hasToken} or ${opensTo(hashes)} as is_held',
        to: 'true as is_held',
      },
      {
        without: 'telling a live session from an expired one',
        from: 's.expires_at > now() as was_live',
        to: 'true as was_live',
      },
      {
        without: 'the lock before the look',
        from: 'findEnding(session, given)}\n        for update`',
        to: 'findEnding(session, given)}`',
        tests: [CONTRACT, 'test/histories/interleavings.test.ts'],
      },
      {
        without: 'ending each session once in a statement',
        from: 'isExclusive: true',
        to: 'isExclusive: false',
        tests: [SHARED],
      },
      {
        without: 'sparing the sessions that are named',
        from: ' and s.id <> all (${except})',
        to: '',
      },
      {
        without: 'telling only the live ones of those that ended',
        from: 'select id, user_id from ended where expires_at > now()',
        to: 'select id, user_id from ended',
      },
      {
        without: 'the user whose sessions end',
        from: '`${isMeant(of)} and s.id <> all (${except})`',
        to: '`s.id <> all (${except})`',
      },
    ],
  },
  {
    file: `${operations}/replace.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the token of a session to replace',
        from: ' and ${opensTo(hashes)} as is_held',
        to: ' as is_held',
      },
      {
        without: 'the owner of a session to replace',
        from: '${isOwned({ user, version })} and ${opensTo(hashes)}',
        to: '${opensTo(hashes)}',
      },
      {
        without: 'expiry of a session to replace',
        from: 'where s.id = ${id} and s.expires_at > now()',
        to: 'where s.id = ${id}',
      },
      {
        without: 'the lock before the look of a replacement',
        from: 's.expires_at > now()\n        for update`',
        to: 's.expires_at > now()`',
      },
      {
        without: 'leaving a session whose token is dead',
        from: 'where s.id = ${id} and found.is_held',
        to: 'where s.id = ${id}',
      },
      {
        without: 'beginning a successor only of a session that this call has ended',
        from: ", from: 'from ended' }",
        to: ' }',
      },
    ],
  },
  {
    file: `${operations}/purge.ts`,
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the look at the deadline when a purge deletes',
        from: 'where id = any (array(select id from doomed)) and expires_at <= now()',
        to: 'where id = any (array(select id from doomed))',
        equivalent:
          '`for update` has judged purge_at again after any wait, and a check of the table keeps purge_at from lying before expires_at. It stays for the day when one of the two goes',
      },
      {
        without: 'the purge bound',
        from: '\n        where purge_at <= now()\n        order',
        to: '\n        order',
      },
      {
        without: 'the limit of a purge',
        from: '\n        limit ${limit}\n        for',
        to: '\n        for',
      },
      {
        without: 'skipping rows that others hold',
        from: 'for update skip locked',
        to: 'for update',
        tests: ['test/postgres/purge.test.ts', 'test/promises/7-purge-only-the-dead.test.ts'],
      },
    ],
  },
]

/** What every operation shares, and how sessions begin and end. */
export const lifeMutants: readonly MutantGroup[] = [sharedSql, ...creating, ...ending]
