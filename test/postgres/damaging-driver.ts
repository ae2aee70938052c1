import type { Connection, Driver, Row } from '../../src/postgres/driver.ts'

/** What becomes of the rows of an answer, given those of the answer before. */
export type Damage = (rows: readonly Row[], before: readonly Row[]) => readonly Row[]

/*
 * A client may hand an answer to the wrong caller, lose rows of it, or cut it off. Here a real driver's
 * answers are damaged in each of these ways.
 */
export const damages: readonly (readonly [string, Damage])[] = [
  ['is the answer of the statement before', (_, before) => before],
  ['has no rows', () => []],
  ['has a hole in the place of its row', () => new Array<Row>(1)],
  ['is null', () => [{ answer: null }]],
  ['has two rows', (rows) => [...rows, ...rows]],
  ['proves itself and holds nothing', ([row]) => [{ proof: row?.proof ?? '', answer: null }]],
  ['has lost its proof', ([row]) => [{ answer: row?.answer ?? '' }]],
]

/** A driver that damages every answer, and the errors that the core told it about its answers. */
export function damagingDriver(
  driver: Driver,
  damage: Damage,
): { readonly driver: Driver; readonly refused: unknown[] } {
  const refused: unknown[] = []
  let before: readonly Row[] = [{ answer: 'nothing' }]
  const damaging = (connection: Pick<Connection, 'query'>): Connection['query'] => {
    return async (statement, { check, ...options }) => {
      const rows = await connection.query(statement, options)
      const damaged = damage(rows, before)
      before = rows
      try {
        check?.(damaged)
      } catch (error) {
        refused.push(error)
        throw error
      }
      return damaged
    }
  }
  return {
    refused,
    driver: {
      ...driver,
      query: damaging(driver),
      withConnection: (use, options) =>
        driver.withConnection(
          (lent) => use({ query: damaging(lent), run: (sql) => lent.run(sql) }),
          options,
        ),
    },
  }
}
