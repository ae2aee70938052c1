import { createHash } from 'node:crypto'
import { createStatements } from './statements/create-statements.ts'
import { entryStatements } from './statements/entry-statements.ts'
import { loadStatements } from './statements/load-statements.ts'
import { saveStatements } from './statements/save-statements.ts'
import { sessionStatements } from './statements/session-statements.ts'
import type { TableNames } from './table-names.ts'

/** A statement's fixed half: its name and text. */
interface StatementText {
  readonly name: string
  readonly text: string
}

/** The statements of the store, by operation. */
export type StoreStatements = Readonly<Record<keyof Texts, StatementText>>

type Texts = ReturnType<typeof loadStatements> &
  ReturnType<typeof createStatements> &
  ReturnType<typeof saveStatements> &
  ReturnType<typeof entryStatements> &
  ReturnType<typeof sessionStatements>

/**
 * Writes the store's statements for these tables.
 *
 * Rules that hold for all of them: one statement does the whole operation; the session's id is written
 * out wherever a table is named; every write of entries hangs on an update of the live session's row,
 * which both guards it and makes writers of one session wait for each other; time is the database's
 * `now()`. Parameters and columns are text, bytes go as hexadecimal.
 */
export function storeStatements(names: TableNames): StoreStatements {
  return Object.fromEntries(
    Object.entries(texts(names)).map(([name, text]) => [
      name,
      { name: uniqueName(name, text), text },
    ]),
  ) as unknown as StoreStatements
}

function texts(names: TableNames): Texts {
  return {
    ...loadStatements(names),
    ...createStatements(names),
    ...saveStatements(names),
    ...entryStatements(names),
    ...sessionStatements(names),
  }
}

/** Two stores with other tables, or two releases, may share connections: a name stands for one text. */
function uniqueName(name: string, text: string): string {
  return `pg_sessions_${name}_${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}
