import type { Driver } from '../../postgres/driver.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import { uuid } from '../../postgres/parameter-types.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import type { PresentedToken } from '../../store/session-store.ts'

/** Sessions that one statement finds. */
const PAGE = 200

const FIRST = '00000000-0000-0000-0000-000000000000'

/** Finds every live session. No request needs it. */
export class LiveSessions {
  readonly #page: Operation<string, readonly PresentedToken[]>
  readonly #runner: StatementRunner

  /** @param deadline - Milliseconds that a statement may take. */
  constructor(driver: Driver, names: TableNames, deadline: number) {
    this.#page = pageAfter(names)
    this.#runner = new StatementRunner(driver, deadline)
  }

  /**
   * Yields the live sessions in pages, ordered by id, each as what loads it. One that begins meanwhile may be
   * missing.
   */
  async *pages(): AsyncGenerator<readonly PresentedToken[], void, undefined> {
    let after = FIRST
    for (;;) {
      const page = await this.#runner.ask(this.#page, after)
      yield page
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      after = last.id
    }
  }
}

function pageAfter({ session }: TableNames): Operation<string, readonly PresentedToken[]> {
  return operation({
    name: 'page_of_live',
    effect: 'none',
    parameters: { after: uuid },
    give: (after: string) => ({ after }),
    sql: ({ after }) => ({
      answer: `
        select id, encode(secret_hash, 'base64') as hash
        from ${session}
        where id > ${after} and expires_at > now()
        order by id
        limit ${PAGE}`,
    }),
    rows: (rows) =>
      rows.map((row) => ({
        id: row.text('id'),
        secretHashes: [row.bytesOrNull('hash') as Uint8Array],
      })),
  })
}
