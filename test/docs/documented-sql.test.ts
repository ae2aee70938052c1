import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { migrate } from '../../src/postgres/migrate.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { connect, scratchDatabase, scratchRole } from '../postgres/scratch-database.ts'

test.each(['schema', 'operations'])('every piece of SQL in docs/%s.md runs', async (page) => {
  const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8')
  const pieces = [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) => sql)
  expect(pieces.length).toBeGreaterThan(3)
  const database = await scratchDatabase()
  const { role } = await scratchRole(database)
  await migrate(connect(database.url), resolveTableNames(), { timeout: 20_000 })
  for (const piece of pieces) {
    // The roles of the examples do not exist here.
    await database.query(piece.replaceAll(/(?<= to |alter role )(app|monitor|support)\b/g, role))
  }
})
