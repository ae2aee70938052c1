import type { Driver } from '../../src/postgres/driver.ts'

/** Passes everything on, and keeps the operations whose statements went to the server, in order. */
export function recordingDriver(driver: Driver): { driver: Driver; sent: string[] } {
  const sent: string[] = []
  return {
    sent,
    driver: {
      ...driver,
      query(statement, options) {
        sent.push(operationOf(statement.name))
        return driver.query(statement, options)
      },
      withConnection(use) {
        sent.push('connection')
        return driver.withConnection(use)
      },
    },
  }
}

/** The operation in a statement's name: `save` in `pg_sessions_save_1a2b3c4d`. */
export function operationOf(statementName: string): string {
  return statementName.replace(/^pg_sessions_(.*)_[0-9a-f]{8}$/, '$1')
}
