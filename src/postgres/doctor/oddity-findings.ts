import type { Finding } from './finding.ts'
import type { Oddity, OddityKind } from './read-oddities.ts'

type Judgement = Omit<Finding, 'code'>

const CHECK_REQUESTS = 'Requests that break it fail with 500, or sign-ins do.'

const JUDGEMENTS: Readonly<Record<OddityKind, (oddity: Oddity) => Judgement>> = {
  'not-a-table': ({ table }) => ({
    severity: 'warning',
    what: `${table} is not a table.`,
    effect: 'Statements may be refused, and nothing can be said of its indexes.',
    remedy: 'Give the name back to the table that npx pg-sessions migrate made.',
  }),
  rule: ({ table, name }) => ({
    severity: 'error',
    what: `${table} has a rule ${name} that pg-sessions did not make.`,
    effect: 'PostgreSQL refuses most statements of sessions on a table with rules.',
    remedy: `drop rule ${name} on ${table};`,
  }),
  constraint: ({ table, name, detail }) => ({
    severity: 'warning',
    what: `${table} has a constraint ${name} that pg-sessions did not make: ${detail}.`,
    effect: CHECK_REQUESTS,
    remedy: `Check that it is wanted, or: alter table ${table} drop constraint ${name};`,
  }),
  'unique-index': ({ table, name }) => ({
    severity: 'error',
    what: `${table} has a unique index ${name} that pg-sessions did not make.`,
    effect: `On user_id it refuses the second session of a user. ${CHECK_REQUESTS}`,
    remedy: `drop index concurrently ${name};`,
  }),
  reference: ({ table, name, detail }) => ({
    severity: 'error',
    what: `${detail} refers to ${table} by the foreign key ${name}, which does not delete with it.`,
    effect: 'A session that it refers to cannot end: sign-outs and purges fail.',
    remedy: `alter table ${detail} drop constraint ${name}; and add it again with on delete cascade or on delete set null.`,
  }),
  collation: ({ table, name, detail }) => ({
    severity: 'error',
    what: `The column ${name} of ${table} has the nondeterministic collation ${detail}.`,
    effect:
      'Users whose ids differ in case or accents only are one user: each sees and ends the sessions of the other.',
    remedy: `alter table ${table} alter column ${name} type text collate "default";`,
  }),
  'short-column': ({ table, name, detail }) => ({
    severity: 'warning',
    what: `The column ${name} of ${table} is ${detail}.`,
    effect: 'Longer values are refused: these users cannot sign in.',
    remedy: `alter table ${table} alter column ${name} type text;`,
  }),
  policy: ({ table, name }) => ({
    severity: 'warning',
    what: `Row level security on ${table} has a policy ${name} that chooses rows.`,
    effect: 'Sessions that it hides cannot be listed or ended, also when a password changes.',
    remedy: `drop policy ${name} on ${table}; and create one with using (true) for the role of the application.`,
  }),
  'replica-role': () => ({
    severity: 'error',
    what: 'session_replication_role is replica on this connection.',
    effect: 'No foreign key works: what a session holds stays in the table after its end.',
    remedy: 'Reset session_replication_role for this role and this database.',
  }),
  'notify-denied': ({ detail }) => ({
    severity: 'warning',
    what: `The role ${detail} may not execute pg_notify.`,
    effect: 'Other processes learn of the end of a session by polling: sockets close late.',
    remedy: `grant execute on function pg_catalog.pg_notify(text, text) to ${detail};`,
  }),
}

/** Judges what others have added. */
export function oddityFindings(oddities: readonly Oddity[]): Finding[] {
  return oddities.map((oddity) => ({ code: oddity.kind, ...JUDGEMENTS[oddity.kind](oddity) }))
}
