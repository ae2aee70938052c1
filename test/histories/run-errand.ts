import { StoreUnavailableError } from 'pg-sessions'
import type { Deed } from './history.ts'
import type { Errand } from './program.ts'
import type { World } from './world.ts'

/** Does what the application does beside requests, and notes what it was answered. */
export async function runErrand(world: World, process: number, errand: Errand): Promise<void> {
  const { recorder } = world
  const sessions = world.sessions(process)
  const request = recorder.newRequest()
  const begin = recorder.now()
  const ask = async <Result>(call: Promise<Result>): Promise<Result | 'none' | 'unknown'> => {
    try {
      return await world.watched(errand.do, call)
    } catch (error) {
      if (error instanceof StoreUnavailableError) return error.outcome
      recorder.complain(`${errand.do} failed with ${String(error)}`)
      return 'none'
    }
  }
  switch (errand.do) {
    case 'purge':
      await ask(sessions.purge())
      return
    case 'count':
      await ask(sessions.count())
      return
    case 'reseal':
      if (world.seals) await ask(sessions.reseal({ batchSize: 2 }))
      return
    case 'end all': {
      const count = await ask(sessions.destroyAll({ batchSize: 2 }))
      if (count === 'none') return
      const end = count === 'unknown' ? Number.POSITIVE_INFINITY : recorder.now()
      recorder.noteForAll({ request, begin, end, deed: { kind: 'end all' } })
      return
    }
    case 'list':
    case 'list by tag': {
      const isOfUser = 'userId' in errand
      const listed = await ask(
        isOfUser ? sessions.listByUser(errand.userId) : sessions.listByTag(errand.tag),
      )
      if (typeof listed === 'string') return
      const { length } = listed.filter(({ actor }) => actor === null)
      if (isOfUser && world.beyondTwo !== 'live' && length > 2) {
        recorder.complain(`${errand.userId} has ${length} sessions`)
      }
      const end = recorder.now()
      for (const id of recorder.sessionIds()) {
        const found = listed.find((it) => it.id === id)
        const shown = found ? { label: found.device?.label ?? null, tags: found.tags } : null
        const deed: Deed = isOfUser
          ? { kind: 'list', userId: errand.userId, shown }
          : { kind: 'list by tag', tag: errand.tag, shown }
        recorder.note(id, { request, begin, end, deed })
      }
      return
    }
    case 'end by tag': {
      const { tag } = errand
      const count = await ask(sessions.destroyByTag(tag))
      if (count === 'none') return
      const end = count === 'unknown' ? Number.POSITIVE_INFINITY : recorder.now()
      recorder.noteForAll({ request, begin, end, deed: { kind: 'end by tag', tag } })
      return
    }
    case 'end by user': {
      const { userId } = errand
      const count = await ask(sessions.destroyByUser(userId))
      if (count === 'none') return
      const end = count === 'unknown' ? Number.POSITIVE_INFINITY : recorder.now()
      recorder.noteForAll({ request, begin, end, deed: { kind: 'end by user', userId } })
      return
    }
    case 'end by id': {
      const ids = [...recorder.sessionIds()]
      const id = ids[errand.pick % Math.max(1, ids.length)]
      if (id === undefined) return
      const { owner } = errand
      const ended = await ask(
        sessions.destroyById(id, owner === null ? undefined : { userId: owner }),
      )
      if (ended === 'none') return
      const end = ended === 'unknown' ? Number.POSITIVE_INFINITY : recorder.now()
      recorder.note(id, {
        request,
        begin,
        end,
        deed: { kind: 'end by id', owner, ended: ended === 'unknown' || ended },
      })
    }
  }
}
