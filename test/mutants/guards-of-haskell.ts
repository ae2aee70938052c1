import type { MutantGroup } from './mutant.ts'

const CONTRACT = 'test/haskell/store-contract.test.ts'
const BESIDE = 'test/haskell/beside-the-original.test.ts'
const LOGIN = 'test/haskell/login-in-flight.test.ts'
const CLOCK = 'test/haskell/clock-of-the-original.test.ts'
const KEYS = 'test/haskell/keys-and-cookies.test.ts'

/** Sessions on the tables of wai-session-postgresql, and the way from there. */
export const haskellMutants: readonly MutantGroup[] = [
  {
    file: 'src/haskell/sql-fragments.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the version of a row',
        from: ' and (${version} is null or ${VERSION} = ${version})',
        to: '',
        tests: [BESIDE],
      },
      {
        without: 'the timeout in the guard of every write',
        from: 'id = ${id} and ${isLive(timeout)} and (',
        to: 'id = ${id} and (',
      },
      {
        without: 'keeping an access that lies ahead',
        from: 'greatest(session_last_access, ${NOW})',
        to: '${NOW}',
        tests: [CLOCK],
      },
      {
        without: 'telling one clearSession from the next',
        from: "concat('flagged ', xmin, ' ')",
        to: "'flagged '",
        tests: [LOGIN],
      },
      {
        without: 'the flag in the version',
        from: "case when session_invalidate_key then concat('flagged ', xmin, ' ') end,\n            ",
        to: '',
        tests: [BESIDE, LOGIN],
      },
    ],
  },
  {
    file: 'src/haskell/session-state.ts',
    tests: [LOGIN],
    mutants: [
      {
        without: 'leaving a fresh flag to the login that set it',
        from: 'const isAbandoned = isFlagged && hasStood(version, times.now, loginTime)',
        to: 'const isAbandoned = isFlagged',
      },
      {
        without: 'keeping writes out of a login in flight',
        from: 'version: isFlagged && !isAbandoned ? `in use: ${version}` : version',
        to: 'version',
      },
      {
        without: 'completing a flag that was left behind',
        from: 'isRotationDue: isAbandoned',
        to: 'isRotationDue: false',
      },
    ],
  },
  {
    file: 'src/haskell/standing-flags.ts',
    tests: [LOGIN],
    mutants: [
      {
        without: 'remembering when a flag was first seen',
        from: 'firstSeen.get(version) ?? now',
        to: 'now',
      },
      {
        without: 'a bound of what is remembered',
        from: 'if (firstSeen.size > CAPACITY) {',
        to: 'if (false) {',
        tests: ['test/haskell/standing-flags.test.ts'],
      },
    ],
  },
  {
    file: 'src/haskell/operations/destroy.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the key of a session to end',
        from: '(not ${hasKeys} or (session_key = any (${keys}) and session_invalidate_key is not true))',
        to: '(${hasKeys} is not null or ${keys} is null)',
      },
      {
        without: 'no repeat of an ending by itself, which finds nothing',
        from: "effect: 'once' | 'idempotent' = 'once',",
        to: "effect: 'once' | 'idempotent' = 'idempotent',",
        tests: ['test/haskell/lost-endings.test.ts'],
      },
      {
        without: 'the flag of a session to end',
        from: ' and session_invalidate_key is not true',
        to: '',
        tests: [BESIDE, LOGIN],
      },
    ],
  },
  {
    file: 'src/haskell/operations/replace.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the key of a session to replace',
        from: ' and session_key = any (${shown})',
        to: ' and ${shown} is not null',
      },
    ],
  },
  {
    file: 'src/haskell/operations/save.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the key that another one replaces',
        from: 'case when ${holdsKey} then ${to} else session_key end',
        to: '${to}',
      },
      {
        without: 'taking the flag away with the key',
        from: 'session_invalidate_key and not ${holdsKey}',
        to: 'session_invalidate_key',
        tests: [BESIDE, LOGIN],
      },
    ],
  },
  {
    file: 'src/haskell/operations/touch.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'passing over rows that others hold',
        from: 'for no key update skip locked',
        to: 'for no key update',
        tests: ['test/haskell/waiting-for-each-other.test.ts'],
      },
      {
        without: 'noting an access once a second',
        from: ' and session_last_access + 0 < ${NOW}',
        to: '',
        tests: [CLOCK],
      },
      {
        without: 'the timeout of a session to touch',
        from: 'where id = any (${ids}) and ${isLive(timeout)} and session_last_access + 0 < ${NOW}',
        to: 'where id = any (${ids}) and session_last_access + 0 < ${NOW}',
        equivalent: 'the update asks again whether the session lives, of the row that was locked',
      },
    ],
  },
  {
    file: 'src/haskell/operations/change-entry.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the lock of the live session when a value is taken',
        from: 'where ${isEntry(given)} and exists (select from live)\n        returning value',
        to: 'where ${isEntry(given)}\n        returning value',
        tests: [CLOCK],
      },
      {
        without: 'the value that an update replaces',
        from: 'set value = ${given.value}\n        where ${isEntry(given)} and value = ${given.expected}',
        to: 'set value = ${given.value}\n        where ${isEntry(given)}',
      },
      {
        without: 'the value that an update removes',
        from: 'delete from ${data}\n        where ${isEntry(given)} and value = ${given.expected}',
        to: 'delete from ${data}\n        where ${isEntry(given)}',
      },
      {
        without: 'the look whether a key is still absent',
        from: '\n          where d.value is null',
        to: '',
      },
    ],
  },
  {
    file: 'src/haskell/operations/purge.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the timeout of sessions to purge',
        from: 'where session_last_access < ${NOW} - ${timeout / 1000}',
        to: 'where true',
        equivalent: 'the statement that deletes asks again, of every row that was locked',
      },
      {
        without: 'the limit of a purge',
        from: '\n        limit ${limit}',
        to: '',
      },
    ],
  },
  {
    file: 'src/haskell/keys-to-store.ts',
    tests: [KEYS],
    mutants: [
      {
        without: 'refusing a user that the tables have no place for',
        from: '  if (userId !== null) throw new UnsupportedError(NO_USERS)\n',
        to: '',
      },
      {
        without: 'refusing a sign-in that the tables have no place for',
        from: '  if (signIn !== undefined) throw new UnsupportedError(NO_USERS)\n',
        to: '',
      },
    ],
  },
  {
    file: 'src/haskell/wai-tokens.ts',
    tests: [KEYS],
    mutants: [
      {
        without: 'trying generated keys against their own form',
        from: ' && accepts(key)) return key',
        to: ') return key',
      },
      {
        without: 'the least length of a key',
        from: 'key.length >= SHORTEST_KEY && ',
        to: '',
      },
      {
        without: 'refusing a generator that gives the same key twice',
        from: 'new Set(samples).size === samples.length',
        to: 'true',
      },
      {
        without: 'a form that matches the whole key',
        from: '/^\\^.*\\$$/s.test(accept.source)',
        to: 'true',
      },
      {
        without: 'a form whose alternatives all match the whole key',
        from: 'new RegExp(`^(?:${accept.source})$`, accept.flags)',
        to: 'accept',
      },
    ],
  },
  {
    file: 'src/haskell/wai-settings.ts',
    tests: [KEYS],
    mutants: [
      {
        without: 'the name of the cookie that both sides share',
        from: "if (typeof cookie?.name !== 'string') {",
        to: 'if (false) {',
      },
      {
        without: 'naming what was given in the place of a driver',
        from: "  driverOption.read(database, 'database')\n",
        to: '  void database\n',
        tests: ['test/drivers/given-something-else.test.ts', KEYS],
      },
    ],
  },
  {
    file: 'src/haskell/table-shape.ts',
    tests: ['test/haskell/tables.test.ts'],
    mutants: [
      {
        without: 'the types of columns',
        from: 'types.includes(type) ? []',
        to: 'type ? []',
      },
      {
        without: 'what must be unique',
        from: '...(facts.includes(`unique ${table} ${UNIQUE[table]}`)',
        to: '...(facts.length > 0',
      },
      {
        without: 'further columns that must have a value',
        from: '...furtherColumns(facts, table, columns),',
        to: '',
      },
    ],
  },
  {
    file: 'src/import/haskell/from-wai.ts',
    tests: ['test/import/haskell/from-wai-settings.test.ts'],
    mutants: [
      {
        without: 'the timeout of the other service as the idle timeout',
        from: "idleTimeout: options.timeout ?? '1h'",
        to: "idleTimeout: '1h'",
      },
    ],
  },
  {
    file: 'src/import/haskell/key-keeping-store.ts',
    tests: ['test/import/haskell/rolling-deployment.test.ts'],
    mutants: [
      {
        without: 'sessions that processes of the next release have moved',
        from: "if (found.status !== 'unknown') return this.#entries.loaded(found)",
        to: 'return this.#entries.loaded(found)',
      },
    ],
  },
]
