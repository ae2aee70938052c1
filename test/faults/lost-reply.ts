import type { Driver } from 'pg-sessions/driver'
import type { FaultProxy } from 'pg-sessions/testing'
import { operationOf } from '../postgres/recording-driver.ts'

/** Loses replies to chosen operations. Clients name statements each in its own way, so the driver tells which it sends. */
export class ReplyLoser {
  readonly driver: Driver
  readonly #due = new Map<string, (proof: string) => void>()
  readonly #proxy: FaultProxy

  constructor(driver: Driver, proxy: FaultProxy) {
    this.#proxy = proxy
    this.driver = {
      ...driver,
      query: (statement, options) => {
        const operation = operationOf(statement.name)
        for (const [due, lose] of this.#due) {
          if (operation !== due && !operation.startsWith(`${due}_`)) continue
          this.#due.delete(due)
          lose(statement.values.at(-1) ?? '')
        }
        return driver.query(statement, options)
      },
    }
  }

  /** Loses the reply to the next statement of this operation or of one of its kinds. Resolves when that has happened. */
  next(operation: string): Promise<void> {
    return new Promise((resolve) => {
      this.#due.set(operation, (proof) => {
        // Other statements may be under way. The proof tells on which connection this one goes.
        let asked: number | undefined
        const lost = this.#proxy.cutBefore(({ from, type, bytes, connection }) => {
          if (from === 'client' && bytes.includes(proof)) asked ??= connection
          return connection === asked && from === 'server' && type === 'C'
        })
        void lost.then(resolve)
      })
    })
  }
}
