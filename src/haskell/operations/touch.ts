import type { SharedOperation } from '../../postgres/batcher.ts'
import { type Operation, operation } from '../../postgres/operation.ts'
import { bigint, list } from '../../postgres/parameter-types.ts'
import { isLive, NOTE_ACCESS, NOW } from '../sql-fragments.ts'
import type { WaiTableNames } from '../wai-table-names.ts'

/** Notes an access to the session of this id. */
export function touchOperation(
  names: WaiTableNames,
  timeout: number,
): SharedOperation<string, 'touched'> {
  const single = touchOf(names, timeout, {
    give: (id: string) => ({ ids: [id] }),
    done: () => 'touched' as const,
  })
  return {
    single: () => single,
    batch: touchOf(names, timeout, {
      give: (ids: readonly string[]) => ({ ids }),
      done: (ids) => ids.map(() => 'touched' as const),
    }),
    sessionOf: (id) => id,
    isExclusive: false,
    sizeOf: () => 0,
  }
}

/**
 * A locked row is being used or ended: either way there is no access to note. A flagged row keeps its version
 * until its login is over.
 */
function touchOf<Call, Answer>(
  { sessions }: WaiTableNames,
  timeout: number,
  rest: { give(call: Call): { readonly ids: readonly string[] }; done(call: Call): Answer },
): Operation<Call, Answer> {
  return operation({
    name: 'wai_touch',
    effect: 'idempotent',
    parameters: { ids: list(bigint) },
    sql: ({ ids }) => ({
      free: `
        select id
        from ${sessions}
        where id = any (${ids}) and ${isLive(timeout)} and session_last_access + 0 < ${NOW}
          and session_invalidate_key is not true
        for no key update skip locked`,
      answer: `
        update ${sessions}
        set ${NOTE_ACCESS}
        where id = any (array(select id from free)) and ${isLive(timeout)}
          and session_invalidate_key is not true`,
    }),
    ...rest,
  })
}
