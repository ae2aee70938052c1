import { type Operation, operation } from '../operation.ts'
import { list, text } from '../parameter-types.ts'
import { derivedName, type TableNames } from '../table-names.ts'

/** What someone has added to the tables, or set for the connection, that changes how our statements work. */
export type OddityKind =
  | 'not-a-table'
  | 'rule'
  | 'constraint'
  | 'unique-index'
  | 'reference'
  | 'collation'
  | 'short-column'
  | 'policy'
  | 'replica-role'
  | 'notify-denied'

export interface Oddity {
  readonly kind: OddityKind
  /** Null for one of the connection. */
  readonly table: string | null
  /** Names the rule, the constraint, the index, the column or the policy. */
  readonly name: string
  /** What it is, in the words of the catalog. */
  readonly detail: string
}

/** The constraints that our migrations make, beside foreign keys. */
const OWN_CONSTRAINTS = [
  'pkey',
  'secret_hash_check',
  'previous_hash_check',
  'own_idle_ms_check',
  'absolute_expires_at_check',
  'purge_at_check',
]

export const readOddities: Operation<TableNames, readonly Oddity[]> = operation({
  name: 'doctor_oddities',
  effect: 'none',
  parameters: { tables: list(text), own: list(text) },
  give: ({ session, sessionData, raw }: TableNames) => ({
    tables: [session, sessionData],
    own: [
      ...OWN_CONSTRAINTS.map((suffix) => derivedName(raw.session, suffix)),
      derivedName(raw.sessionData, 'pkey'),
    ],
  }),
  sql: ({ tables, own }) => ({
    ours: `
        select t.name, c.oid, c.relkind
        from pg_catalog.unnest(${tables}) as t (name)
          join pg_catalog.pg_class as c on c.oid = t.name::regclass`,
    answer: `
        select 'not-a-table' as kind, o.name as table_name, '' as name, o.relkind::text as detail
        from ours as o
        where o.relkind not in ('r', 'p')
        union all
        select 'rule', o.name, r.rulename::text, ''
        from ours as o join pg_catalog.pg_rewrite as r on r.ev_class = o.oid
        where r.rulename <> '_RETURN'::name
        union all
        select 'constraint', o.name, k.conname::text, pg_get_constraintdef(k.oid)
        from ours as o join pg_catalog.pg_constraint as k on k.conrelid = o.oid
        where k.contype in ('c', 'u', 'x') and k.conname::text <> all (${own})
        union all
        select 'unique-index', o.name, i.indexrelid::regclass::text, ''
        from ours as o join pg_catalog.pg_index as i on i.indrelid = o.oid
        where i.indisunique and not i.indisprimary
          and not exists (select from pg_catalog.pg_constraint as k where k.conindid = i.indexrelid)
        union all
        select 'reference', o.name, k.conname::text, k.conrelid::regclass::text
        from ours as o join pg_catalog.pg_constraint as k on k.confrelid = o.oid
        where k.contype = 'f' and k.confdeltype in ('a', 'r')
          and k.conrelid not in (select ours.oid from ours)
        union all
        select 'collation', o.name, a.attname::text, l.collname::text
        from ours as o
          join pg_catalog.pg_attribute as a on a.attrelid = o.oid and not a.attisdropped
          join pg_catalog.pg_collation as l on l.oid = a.attcollation
        where not l.collisdeterministic
        union all
        select 'short-column', o.name, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
        from ours as o
          join pg_catalog.pg_attribute as a on a.attrelid = o.oid and not a.attisdropped
        where a.attname in ('user_id', 'actor_id', 'factor')
          and a.atttypid in ('varchar'::regtype, 'bpchar'::regtype) and a.atttypmod > 0
        union all
        select 'policy', o.name, p.polname::text, ''
        from ours as o join pg_catalog.pg_policy as p on p.polrelid = o.oid
        where row_security_active(o.oid)
          and (coalesce(pg_get_expr(p.polqual, o.oid), 'true') <> 'true'
            or coalesce(pg_get_expr(p.polwithcheck, o.oid), 'true') <> 'true')
        union all
        select 'replica-role', null, '', current_setting('session_replication_role')
        where current_setting('session_replication_role') = 'replica'
        union all
        select 'notify-denied', null, '', current_user::text
        where not has_function_privilege('pg_catalog.pg_notify(text, text)', 'EXECUTE')`,
  }),
  rows: (rows) =>
    rows.map((row) => ({
      kind: row.text('kind') as OddityKind,
      table: row.textOrNull('table_name'),
      name: row.text('name'),
      detail: row.text('detail'),
    })),
})
