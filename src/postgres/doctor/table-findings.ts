import type { TableNames } from '../table-names.ts'
import type { Finding } from './finding.ts'
import type { ForeignKeyFacts, IndexFacts, TableFacts, TriggerFacts } from './read-tables.ts'

/** What was read of the tables. */
export interface TablesFacts {
  readonly tables: readonly TableFacts[]
  readonly indexes: readonly IndexFacts[]
  readonly triggers: readonly TriggerFacts[]
  readonly foreignKeys: readonly ForeignKeyFacts[]
}

/** Updates of a table below which its statistics say nothing. */
const ENOUGH_UPDATES = 1000
const ENOUGH_DEAD_ROWS = 10_000
/** PostgreSQL refuses writes at some 2 100 million, and vacuums by force from 200 million on. */
const OLD_AGE = 1_000_000_000

/** Columns that touches move. An index on one of them makes each touch write to every index. */
const TOUCHED = ['last_access_at', 'expires_at']

/** Judges what was read of the tables, without asking the database. */
export function tableFindings(names: TableNames, facts: TablesFacts): Finding[] {
  return [
    ...facts.tables.flatMap((table) => tableFinding(names, table)),
    ...missingIndexes(names, facts.indexes),
    ...facts.indexes.flatMap(indexFinding),
    ...facts.triggers.flatMap(triggerFinding),
    ...foreignKeyOffFinding(facts.triggers),
    ...foreignKeyFinding(names, facts.foreignKeys),
  ]
}

function tableFinding(names: TableNames, facts: TableFacts): Finding[] {
  const { table, rows, deadRows, updates, heapOnlyUpdates } = facts
  const findings: Finding[] = []
  if (facts.isUnlogged) {
    findings.push({
      code: 'unlogged-table',
      severity: 'error',
      what: `${table} is unlogged.`,
      effect: 'After a crash of the server it is empty: every user is signed out.',
      remedy: `alter table ${table} set logged;`,
    })
  }
  if (!facts.hasAutovacuum) {
    findings.push({
      code: 'autovacuum-off',
      severity: 'warning',
      what: `Autovacuum does not work on ${table}.`,
      effect: 'The table grows without end, and every request becomes slower.',
      remedy: `alter table ${table} reset (autovacuum_enabled); and set autovacuum = on in postgresql.conf.`,
    })
  }
  if (deadRows > ENOUGH_DEAD_ROWS && deadRows > rows / 2) {
    findings.push({
      code: 'vacuum-behind',
      severity: 'warning',
      what: `${table} holds ${deadRows} dead rows beside ${rows} live ones.`,
      effect: 'Requests read past them, and the table takes more room than it needs.',
      remedy: `vacuum (analyze) ${table}; and alter table ${table} set (autovacuum_vacuum_scale_factor = 0.02);`,
    })
  }
  if (table === names.session && updates > ENOUGH_UPDATES && heapOnlyUpdates < updates / 2) {
    findings.push({
      code: 'few-heap-only-updates',
      severity: 'warning',
      what: `Of ${updates} updates of ${table}, ${heapOnlyUpdates} were heap-only.`,
      effect: 'A touch then writes to every index, and the indexes grow.',
      remedy: `Drop indexes on ${TOUCHED.join(' and ')}, end long transactions, and alter table ${table} set (fillfactor = 80);`,
    })
  }
  if (facts.frozenAge > OLD_AGE) {
    findings.push({
      code: 'wraparound-near',
      severity: 'error',
      what: `The oldest row of ${table} is ${facts.frozenAge} transactions old.`,
      effect: 'At about 2100 million the server takes no more writes.',
      remedy: `vacuum (freeze) ${table}; and see what keeps autovacuum from it.`,
    })
  }
  return [...findings, ...unknownColumns(names, facts)]
}

/** Columns without a default that our statements always give. */
const GIVEN = {
  session: [
    'id',
    'secret_hash',
    'created_at',
    'last_access_at',
    'token_issued_at',
    'expires_at',
    'absolute_expires_at',
    'purge_at',
  ],
  sessionData: ['session_id', 'key', 'value'],
} as const

function unknownColumns(names: TableNames, { table, demandedColumns }: TableFacts): Finding[] {
  const given: readonly string[] = table === names.session ? GIVEN.session : GIVEN.sessionData
  return demandedColumns
    .filter((column) => !given.includes(column))
    .map((column) => ({
      code: 'column-without-default',
      severity: 'error' as const,
      what: `${table} has a column ${column} that is not null and has no default.`,
      effect: 'No new session can be stored: every sign-in fails.',
      remedy: `alter table ${table} alter column ${column} drop not null; or give it a default.`,
    }))
}

function missingIndexes(names: TableNames, indexes: readonly IndexFacts[]): Finding[] {
  const needed = [
    [names.session, ['id'], 'Every request reads the whole table.'],
    [names.sessionData, ['session_id', 'key'], 'Every request reads the whole table.'],
    [names.session, ['purge_at'], 'Each purge reads the whole table.'],
    [
      names.session,
      ['user_id'],
      'Lists of a user’s sessions, and their ends, read the whole table.',
    ],
    [
      names.session,
      ['tags'],
      'Lists of the sessions with a tag, and their ends, read the whole table.',
    ],
  ] as const
  return needed.flatMap(([table, columns, effect]) => {
    const isThere = indexes.some(
      (index) =>
        index.table === table && index.isValid && columns.every((c, n) => index.columns[n] === c),
    )
    if (isThere) return []
    const isKey = columns[0] === 'id' || columns.length > 1
    return [
      {
        code: 'missing-index',
        severity: isKey ? ('error' as const) : ('warning' as const),
        what: `${table} has no index on (${columns.join(', ')}).`,
        effect,
        remedy: isKey
          ? `alter table ${table} add primary key (${columns.join(', ')});`
          : `create index concurrently on ${table} ${columns[0] === 'tags' ? 'using gin (tags) where tags is not null' : `(${columns.join(', ')})`};`,
      },
    ]
  })
}

function indexFinding({ table, name, columns, isValid }: IndexFacts): Finding[] {
  if (!isValid) {
    return [
      {
        code: 'invalid-index',
        severity: 'warning',
        what: `The index ${name} of ${table} is invalid: building it was interrupted.`,
        effect: 'No statement can use it, and each write keeps it up to date.',
        remedy: `reindex index concurrently ${name}; or drop it.`,
      },
    ]
  }
  const touched = columns.filter((column) => TOUCHED.includes(column))
  if (touched.length === 0) return []
  return [
    {
      code: 'index-on-touched-column',
      severity: 'warning',
      what: `The index ${name} of ${table} holds ${touched.join(' and ')}, which every touch changes.`,
      effect: 'No update is heap-only: each touch writes to every index of the table.',
      remedy: `drop index concurrently ${name};`,
    },
  ]
}

function triggerFinding({ table, name, isInternal, isEnabled }: TriggerFacts): Finding[] {
  if (isInternal || !isEnabled) return []
  return [
    {
      code: 'trigger',
      severity: 'warning',
      what: `${table} has a trigger ${name} that pg-sessions did not make.`,
      effect: 'It runs within requests, and can change or refuse what they save.',
      remedy: `Check that it is wanted, or: drop trigger ${name} on ${table};`,
    },
  ]
}

function foreignKeyOffFinding(triggers: readonly TriggerFacts[]): Finding[] {
  const off = triggers.filter(({ isInternal, isEnabled }) => isInternal && !isEnabled)
  const tables = [...new Set(off.map(({ table }) => table))]
  if (tables.length === 0) return []
  return [
    {
      code: 'foreign-key-off',
      severity: 'error',
      what: `The triggers that keep the foreign key are disabled on ${tables.join(' and ')}.`,
      effect: 'What a session holds stays in the table after its end, or refers to nothing.',
      remedy: tables.map((table) => `alter table ${table} enable trigger all;`).join(' '),
    },
  ]
}

function foreignKeyFinding(names: TableNames, keys: readonly ForeignKeyFacts[]): Finding[] {
  const ends = keys.some(
    ({ table, definition, isValid }) =>
      table === names.sessionData && isValid && definition.includes(' ON DELETE CASCADE'),
  )
  if (ends) return []
  return [
    {
      code: 'foreign-key-missing',
      severity: 'error',
      what: `${names.sessionData} has no valid foreign key to ${names.session} that deletes with it.`,
      effect: 'What a session holds stays in the table after its end.',
      remedy: `delete from ${names.sessionData} d where not exists (select from ${names.session} s where s.id = d.session_id); alter table ${names.sessionData} add foreign key (session_id) references ${names.session} (id) on delete cascade;`,
    },
  ]
}
