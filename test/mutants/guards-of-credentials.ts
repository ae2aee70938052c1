import type { MutantGroup } from './mutant.ts'
import { CONTRACT, IN_COMPANY, SHARED } from './test-files.ts'

/** Sign-ins, rotations, renewals and lifetimes, alone and in shared statements. */
const changeMutants: MutantGroup = {
  file: 'src/postgres/operations/credential-change.ts',
  tests: [CONTRACT],
  mutants: [
    {
      without: 'refusing a sign-in as a whole without the token',
      from: '(not ${needsToken} or ${MAY_REPLACE})',
      to: 'true',
    },
    {
      without: 'the token that a new one replaces',
      from: 'secret_hash = case when ${MAY_REPLACE} then ${given.token} else s.secret_hash end',
      to: 'secret_hash = coalesce(${given.token}, s.secret_hash)',
    },
    {
      without: 'ending the grace of the token before on a rotation',
      from: 'when asked.grace_until is null and ${MAY_REPLACE} then null',
      to: 'when false then null',
      equivalent:
        'previous_until becomes null in the same statement, and a token before opens nothing without it; only whether its use is called a reuse depends on the hash',
    },
    {
      without: 'ending the grace of the token before on a rotation, by its deadline',
      from: `when \${MAY_REPLACE} then asked.grace_until
            else s.previous_until`,
      to: `when \${MAY_REPLACE} then coalesce(asked.grace_until, s.previous_until)
            else s.previous_until`,
      equivalent:
        'previous_hash becomes null in the same statement, and without it no token before opens the session',
    },
    {
      without: 'the end of the grace for a change of token',
      from: ' and s.previous_until > asked.now',
      to: '',
    },
    {
      without: 'a grace that begins once',
      from: `
            and asked.grace_until is null`,
      to: '',
    },
    {
      without: 'the token before, in its grace, for a change of token',
      from: `(\${HOLDS_TOKEN} or (
            s.previous_hash = any (asked.shown) and s.previous_until > asked.now
            and asked.grace_until is null
          ))`,
      to: '(${HOLDS_TOKEN})',
    },
    {
      without: 'forgetting the sealed successor',
      from: 'when ${MAY_REPLACE} then ${given.successor}',
      to: 'when ${MAY_REPLACE} then coalesce(${given.successor}, s.sealed_successor)',
      equivalent:
        'it goes out only beside a token before, which the rotation has ended; and the token that it seals is dead',
    },
    {
      without: 'keeping a noted access that lies ahead, on a rotation',
      from: 'last_access_at = greatest(s.last_access_at, asked.now)',
      to: 'last_access_at = asked.now',
      tests: [SHARED],
    },
    {
      without: "keeping a token's time that lies ahead",
      from: 'then greatest(s.token_issued_at, asked.now)',
      to: 'then asked.now',
      tests: [SHARED],
    },
    {
      without: "the token's time",
      from: 'then greatest(s.token_issued_at, asked.now)',
      to: 'then s.token_issued_at',
    },
    {
      without: 'another version at each sign-in',
      from: 'case when ${given.signIn} is null then 0 else 1 end',
      to: '0',
    },
    {
      without: 'keeping the time of a sign-in that lies ahead',
      from: 'greatest(s.authenticated_at, asked.signed_in_at)',
      to: 'coalesce(asked.signed_in_at, s.authenticated_at)',
      tests: [SHARED],
    },
    {
      without: 'the own idle timeout that stays',
      from: 'case when ${given.keepsIdle} then s.own_idle_ms else ${given.ownIdle} end',
      to: '${given.ownIdle}',
    },
    {
      without: 'keeping the later deadline on a rotation',
      from: `                then s.expires_at
`,
      to: `                then null::timestamptz
`,
      tests: [SHARED],
    },
    {
      without: 'a deadline that a sign-in or a lifetime may shorten',
      from: 'when ${given.signIn} is null and ${given.absolute} is null and ${given.keepsIdle}',
      to: 'when true',
    },
    {
      without: 'the absolute deadline on a rotation',
      from: 'least(${newAbsolute}, asked.idle_until)',
      to: 'asked.idle_until',
    },
    {
      without: 'keeping the later purge bound on a rotation',
      from: 'greatest(s.purge_at, least(${newAbsolute}, asked.purge_until))',
      to: 'least(${newAbsolute}, asked.purge_until)',
    },
    {
      without: 'telling whether the token is the one asked for',
      from: 'coalesce(secret_hash = ${token}, false)',
      to: '${token} is not null',
    },
  ],
}

export const credentialMutants: readonly MutantGroup[] = [
  changeMutants,
  {
    file: 'src/postgres/operations/save-credentials.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'refusing a sign-in as a whole without the token, alone',
        from: ' and ${isGranted(given)}',
        to: '',
      },
      {
        without: 'the guard of a change of token',
        from: 'where ${liveAndOwned(given)} and',
        to: 'where s.id = ${given.id} and',
      },
      {
        without: 'one change of token of a session in a shared statement',
        from: 'isExclusive: true',
        to: 'isExclusive: false',
        tests: [IN_COMPANY],
      },
    ],
  },
  {
    file: 'src/postgres/operations/save-many-credentials.ts',
    tests: [SHARED],
    mutants: [
      {
        without: 'refusing a sign-in as a whole without the token, in a shared statement',
        from: ' and ${isGranted(ASKED)}',
        to: '',
      },
      {
        without: 'the guard of a change of token in a shared statement',
        from: 'where ${liveAndOwned(ASKED)} and',
        to: 'where s.id = asked.id and',
      },
      {
        without: 'passing over sessions that another statement holds',
        from: 'for no key update of s skip locked',
        to: 'for no key update of s',
      },
      {
        without: 'trying a change of token alone that the shared statement left out',
        from: 'results.get(id) ?? null',
        to: "results.get(id) ?? { status: 'gone' }",
      },
    ],
  },
  {
    file: 'src/postgres/session-endings.ts',
    tests: ['test/faults/lost-renewal.test.ts'],
    mutants: [
      {
        without: 'a statement of its own for a renewal, which is sent again',
        from: 'return isRenewalAlone(change)',
        to: 'return isRenewalAlone(change) && false',
      },
    ],
  },
]
