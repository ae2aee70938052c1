import { createHash } from 'node:crypto'
import type { Driver } from '../../postgres/driver.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { PresentedToken } from '../../store/session-store.ts'

/** Sessions that one statement finds. */
const PAGE = 200

const FIRST = '00000000-0000-0000-0000-000000000000'

/** Finds all sessions there are, which nothing on the way of a request has need of. */
export class LiveSessions {
  readonly #names: TableNames
  readonly #runner: StatementRunner

  /** @param deadline - Milliseconds that a statement may take. */
  constructor(driver: Driver, names: TableNames, deadline: number) {
    this.#names = names
    this.#runner = new StatementRunner(driver, deadline)
  }

  /**
   * Goes through the live sessions, a page at a time, in the order of their ids: what is needed to load
   * each. One that begins meanwhile may be left out.
   */
  async *pages(): AsyncGenerator<readonly PresentedToken[], void, undefined> {
    const text = `
      select id::text as id, encode(secret_hash, 'hex') as hash
      from ${this.#names.session}
      where id > $1::text::uuid and expires_at > now()
      order by id
      limit ${PAGE}`
    const name = `pg_sessions_page_${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
    let after = FIRST
    for (;;) {
      const rows = await this.#runner.run({ name, text, values: [after] }, { repeatable: true })
      const page = rows.map(({ id, hash }) => ({
        id: id as string,
        secretHashes: [Buffer.from(hash as string, 'hex')],
      }))
      yield page
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      after = last.id
    }
  }
}
