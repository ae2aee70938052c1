import type { TestDatabase } from '../support/database.ts'

/** Everything the catalog knows of the relations of one schema, in an order that can be compared. */
export async function readCatalog(
  database: TestDatabase,
  schema: string,
): Promise<Record<string, unknown>[]> {
  const literal = `'${schema.replaceAll("'", "''")}'`
  return database.query(`
    with relation as (
      select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${literal}
    )
    select 'relation' as kind, relname::text as name,
      format('%s %s %s', relkind, reloptions, obj_description(oid, 'pg_class')) as definition
    from relation
    union all
    select 'column', format('%s.%s', r.relname, a.attname),
      format('%s %s %s %s %s', a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid), col_description(r.oid, a.attnum))
    from (select * from relation where relkind in ('r', 'v')) r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0
    left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
    union all
    select 'constraint', con.conname, pg_get_constraintdef(con.oid)
    from pg_constraint con join relation r on r.oid = con.conrelid
    union all
    select 'index', r.relname, pg_get_indexdef(r.oid) from relation r where r.relkind = 'i'
    union all
    select 'view', r.relname, pg_get_viewdef(r.oid) from relation r where r.relkind = 'v'
    order by 1, 2, 3`)
}
