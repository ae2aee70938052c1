import type { MutantGroup } from './mutant.ts'
import { CONTRACT } from './test-files.ts'

/** Tags, caps, actors and second factors. */
export const signInMutants: readonly MutantGroup[] = [
  {
    file: 'src/postgres/operations/tag.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the limit of tags',
        from: 'case when count(*) <= ${most} then',
        to: 'case when true then',
      },
      {
        without: 'the guard of a change of tags',
        from: `where \${liveAndOwned(guard)}
        returning s.tags`,
        to: `where s.id = \${guard.id}
        returning s.tags`,
      },
    ],
  },
  {
    file: 'src/postgres/operations/make-room.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'leaving the session that signs in again out of the eviction',
        from: `and s.id is distinct from \${own}
        order by`,
        to: `
        order by`,
      },
      {
        without: 'evicting those that began longest ago',
        from: 'desc, s.id desc',
        to: 'asc, s.id asc',
      },
    ],
  },
  {
    file: 'src/postgres/locked-transaction.ts',
    tests: [CONTRACT, 'test/postgres/caps.test.ts'],
    mutants: [
      {
        without: 'the lock of a user',
        from: 'select pg_advisory_xact_lock(${lock});`',
        to: 'select ${lock};`',
      },
      {
        without: 'knowing that a lost commit may have been applied',
        from: "if (progress.isCommitting && kind === 'unknown') throw failure",
        to: '',
        tests: ['test/postgres/caps.test.ts'],
      },
    ],
  },
  {
    file: 'src/postgres/operations/end-acting.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the token of the acting session',
        from: ' and ${opensTo(hashes)}',
        to: '',
      },
      {
        without: "looking whose the actor's session is",
        from: 's.user_id = found.actor_id',
        to: 'true',
      },
    ],
  },
  {
    file: 'src/session/actor-liveness.ts',
    tests: ['test/session/acting.test.ts'],
    mutants: [
      {
        without: "the end of an acting session with the administrator's own",
        from: 'return live.some((own) => isOwnOf(own, actor))',
        to: 'return live !== undefined',
      },
    ],
  },
  {
    file: 'src/session/act-as-user.ts',
    tests: ['test/session/acting.test.ts'],
    mutants: [
      {
        without: 'looking whether the actor is the user of the session',
        from: 'snapshot?.summary.userId !== actor ||',
        to: 'snapshot === null ||',
      },
    ],
  },
]
