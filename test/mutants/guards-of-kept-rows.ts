import type { MutantGroup } from './mutant.ts'

/** Rows that a trigger or a policy keeps: each statement that deletes says so. */
const tests = ['test/postgres/kept-sessions.test.ts']

export const keptRowMutants: readonly MutantGroup[] = [
  {
    file: 'src/postgres/operations/purge.ts',
    tests,
    mutants: [
      {
        without: 'the look whether a purge has deleted what it locked',
        from: "refuseKept(row.boolean('is_kept'))",
        to: '',
      },
    ],
  },
  {
    file: 'src/postgres/operations/replace.ts',
    tests,
    mutants: [
      {
        without: 'the look whether a replaced session has gone',
        from: 'refuseKept(answer.isAtEnd)',
        to: 'if (answer.isAtEnd) return { status: "gone" }',
      },
    ],
  },
  {
    file: 'src/postgres/operations/end-acting.ts',
    tests,
    mutants: [
      {
        without: 'the look whether an impersonation has gone',
        from: 'refuseKept(answer.boolean())',
        to: 'answer.boolean()',
      },
    ],
  },
  {
    file: 'src/postgres/operations/destroy-page.ts',
    tests,
    mutants: [
      {
        without: 'the look whether all sessions of a page have gone',
        from: "'e.id is null and d.expires_at > now()'} as is_kept",
        to: "'false'} as is_kept",
      },
    ],
  },
  {
    file: 'src/postgres/operations/make-room.ts',
    tests,
    mutants: [
      {
        without: 'the look whether an evicted session has gone',
        from: "refuseKept(rows.some((row) => row.boolean('is_kept')))",
        to: '',
      },
    ],
  },
  {
    file: 'src/postgres/operations/end-in-transaction.ts',
    tests,
    mutants: [
      {
        without: 'the look whether a session has gone in a transaction',
        from: "refuseKept(row.boolean('is_kept'))",
        to: '',
      },
      {
        without: 'the look whether several sessions have gone in a transaction',
        from: "refuseKept(rows.some((row) => row.boolean('is_kept')))",
        to: '',
      },
    ],
  },
  {
    file: 'src/postgres/operations/destroy.ts',
    tests,
    mutants: [
      {
        without: 'the comparison of a shared end with what it has deleted',
        from: 'was_live, is_held, id not in (select ended.id from ended) as is_kept',
        to: 'was_live, is_held, false as is_kept',
      },
    ],
  },
  {
    file: 'src/postgres/session-endings.ts',
    tests,
    mutants: [
      {
        without: 'a second list after an end of several has missed some',
        from: 'refuseKept(live.some(({ id }) => missed.has(id)))',
        to: 'refuseKept(live.length < missed.size)',
      },
      {
        without: 'saying that a page of ends was kept',
        from: 'refuseKept(answer.isKept)',
        to: '',
      },
    ],
  },
]
