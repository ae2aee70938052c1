/** Writes `schema/`: the schema as SQL, and the fingerprint of each migration. `npm run schema` */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { migrations } from '../src/postgres/migrations/index.ts'
import { schemaSql } from '../src/postgres/schema-sql.ts'
import { resolveTableNames } from '../src/postgres/table-names.ts'

export const schemaFile: URL = new URL('../schema/schema.sql', import.meta.url)
export const lockFile: URL = new URL('../schema/migrations.lock.json', import.meta.url)

/** By name of the migration, such as `0001-create-sessions`. */
export type MigrationLock = Record<string, string>

/** SHA-256 of each migration's SQL under the default names. */
export function fingerprintMigrations(): MigrationLock {
  const names = resolveTableNames()
  return Object.fromEntries(
    migrations.map((migration) => [
      `${String(migration.version).padStart(4, '0')}-${migration.name}`,
      createHash('sha256').update(migration.sql(names)).digest('hex'),
    ]),
  )
}

export function readLock(): MigrationLock {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')) : {}
}

/** The migrations that are no longer what they were when they were pinned. */
export function findChanged(pinned: MigrationLock, current: MigrationLock): readonly string[] {
  return Object.keys(pinned).filter((migration) => pinned[migration] !== current[migration])
}

if (import.meta.filename === process.argv[1]) {
  const current = fingerprintMigrations()
  const changed = findChanged(readLock(), current)
  if (changed.length > 0) {
    console.error(
      `${changed.join(', ')}: a pinned migration has changed. Databases have run it as it was: put it back and write the change as a new migration.`,
    )
    process.exitCode = 1
  } else {
    writeFileSync(schemaFile, schemaSql(resolveTableNames()))
    writeFileSync(lockFile, `${JSON.stringify(current, null, 2)}\n`)
    console.log('schema/schema.sql and schema/migrations.lock.json are up to date')
  }
}
