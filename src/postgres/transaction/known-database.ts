import { ConfigurationError } from '../../errors.ts'
import { databaseIdentity } from '../operations/database-identity.ts'
import type { StatementRunner } from '../statement-runner.ts'
import type { TableNames } from '../table-names.ts'

/** Knows which database the store's own connections reach. */
export class KnownDatabase {
  readonly #runner: StatementRunner
  readonly #operation: ReturnType<typeof databaseIdentity>
  #identity: string | undefined

  constructor(runner: StatementRunner, names: TableNames) {
    this.#runner = runner
    this.#operation = databaseIdentity(names)
  }

  async learn(): Promise<void> {
    this.#identity = await this.#runner.ask(this.#operation, undefined, this.#runner.begin())
  }

  /**
   * Refuses a transaction of another database. A server that has restarted is asked again.
   *
   * @throws {ConfigurationError} If it is another database. What the statement did there has to be rolled back.
   */
  async refuseOtherThan(identity: string): Promise<void> {
    if (identity === this.#identity) return
    if (!this.#runner.hasOnlyConnection) await this.learn()
    if (identity === this.#identity) return
    throw new ConfigurationError(
      "sessions.in was given a transaction of another database than the sessions', so the sessions live on. Roll it back, and give sessions.in a transaction of a client that is connected to the database of the sessions.",
    )
  }
}
