import type { Touch } from '../../store/session-store.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import { duration, list, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import { lifetimeTypes } from './session-parameters.ts'
import { endGrace, touchColumns } from './session-sql.ts'

/** Notes an access to a live session. */
export function touchOperation(names: TableNames): SharedOperation<Touch, 'touched'> {
  const single = touchOne(names)
  return {
    single: () => single,
    batch: touchMany(names),
    sessionOf: ({ id }) => id,
    isExclusive: true,
    sizeOf: () => 0,
    mayWait: ({ mayWait = false }) => mayWait,
  }
}

/** Touches no indexed column while the purge bound covers the deadline, so the row stays heap-only. */
function touchOne({ session }: TableNames): Operation<Touch, 'touched'> {
  return operation({
    name: 'touch',
    effect: 'idempotent',
    parameters: { id: uuid, ...lifetimeTypes, overlap: duration },
    give: (touch: Touch) => ({ id: touch.id, ...touch.lifetime, overlap: touch.overlap }),
    sql: ({ id, idle, purge, overlap }) => ({
      answer: `
        update ${session} as s
        set ${touchColumns(idle, purge)},
          ${endGrace(overlap)}
        where s.id = ${id} and s.expires_at > now()`,
    }),
    done: () => 'touched',
  })
}

/** A session that another statement holds locked is being used or ended: there is nothing to note. */
function touchMany({ session }: TableNames): Operation<readonly Touch[], readonly 'touched'[]> {
  return operation({
    name: 'touch_many',
    effect: 'idempotent',
    parameters: {
      ids: list(uuid),
      idles: list(duration),
      purges: list(duration),
      overlaps: list(duration),
    },
    give: (touches: readonly Touch[]) => ({
      ids: touches.map(({ id }) => id),
      idles: touches.map(({ lifetime }) => lifetime.idle),
      purges: touches.map(({ lifetime }) => lifetime.purge),
      overlaps: touches.map(({ overlap }) => overlap),
    }),
    sql: ({ ids, idles, purges, overlaps }) => ({
      free: `
        select s.id, c.idle, c.purge, c.overlap
        from unnest(${ids}, ${idles}, ${purges}, ${overlaps}) as c (id, idle, purge, overlap)
          join ${session} as s on s.id = c.id
        where s.expires_at > now()
        for no key update of s skip locked`,
      answer: `
        update ${session} as s
        set ${touchColumns('free.idle', 'free.purge')},
          ${endGrace('free.overlap')}
        from free
        where s.id = free.id`,
    }),
    done: (touches) => touches.map(() => 'touched'),
  })
}
