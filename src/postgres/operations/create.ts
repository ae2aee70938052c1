import type { NewSession, SessionTimes } from '../../store/session-store.ts'
import type { AnswerBytes } from '../answer-bytes.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import { bytes, duration, float, list, text, textsOrNull, uuid } from '../parameter-types.ts'
import { packTimes, readTimes, TIME_COLUMNS } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import { FIRST_VERSION, insertEntries, insertNewSessions } from './new-session.ts'
import {
  entriesByIdTypes,
  giveEntriesById,
  giveNewSession,
  giveNewSessionDetails,
  hasDetails,
  newSessionDetailTypes,
  newSessionTypes,
  sizeOfEntries,
} from './session-parameters.ts'

/** A session that was there already may be this very call's, whose first answer was lost. */
export type Creation =
  | { readonly status: 'created'; readonly times: SessionTimes; readonly version: string }
  | { readonly status: 'present' }

/**
 * Makes a session that did not exist.
 *
 * Never sent a second time when the first may have been applied: the session may have been ended in
 * between, and would come back.
 */
export function createOperation(names: TableNames): SharedOperation<NewSession, Creation> {
  const single = createOne(names)
  const detailed = createDetailed(names)
  return {
    single: (session) => (hasDetails(session) ? detailed : single),
    batch: createMany(names),
    sessionOf: ({ id }) => id,
    isExclusive: true,
    sizeOf: ({ entries }) => sizeOfEntries(entries),
  }
}

/** Does so, alone, for a session that begins with details that few have. */
export function createDetailed(names: TableNames): Operation<NewSession, Creation> {
  return operation({
    name: 'create_detailed',
    effect: 'once',
    parameters: { ...newSessionTypes, ...newSessionDetailTypes },
    give: (session: NewSession) => ({
      ...giveNewSession(session),
      ...giveNewSessionDetails(session),
    }),
    sql: (given) => createSql(names, given),
    packedRow: readCreation,
  })
}

function createOne(names: TableNames): Operation<NewSession, Creation> {
  return operation({
    name: 'create',
    effect: 'once',
    parameters: newSessionTypes,
    give: giveNewSession,
    sql: (given) => createSql(names, given),
    packedRow: readCreation,
  })
}

type GivenSession = Readonly<Record<keyof typeof newSessionTypes, string>> &
  Partial<Readonly<Record<keyof typeof newSessionDetailTypes, string>>>

function createSql({ session, sessionData }: TableNames, given: GivenSession) {
  return {
    created: `
        ${insertNewSessions(session, given)}
        on conflict (id) do nothing
        returning ${TIME_COLUMNS}`,
    written: insertEntries(sessionData, given, 'created'),
    answer: `select ${packTimes('created')} as packed from created`,
  }
}

function readCreation(answer: AnswerBytes): Creation {
  if (answer.isAtEnd) return PRESENT
  return { status: 'created', times: readTimes(answer), version: FIRST_VERSION }
}

function createMany({
  session,
  sessionData,
}: TableNames): Operation<readonly NewSession[], readonly Creation[]> {
  return operation({
    name: 'create_many',
    effect: 'once',
    parameters: {
      ids: list(uuid),
      hashes: list(bytes),
      users: list(text),
      ownIdles: list(float),
      idles: list(duration),
      absolutes: list(duration),
      tags: list(text),
      actors: list(text),
      actorSessions: list(uuid),
      ...entriesByIdTypes,
    },
    give: (sessions: readonly NewSession[]) => ({
      tags: sessions.map(({ tags }) => (tags?.length ? textsOrNull.write(tags) : null)),
      actors: sessions.map(({ actor }) => actor?.userId ?? null),
      actorSessions: sessions.map(({ actor }) => actor?.sessionId ?? null),
      ids: sessions.map(({ id }) => id),
      hashes: sessions.map(({ secretHash }) => secretHash),
      users: sessions.map(({ userId }) => userId),
      ownIdles: sessions.map(({ ownIdleTimeout }) => ownIdleTimeout),
      idles: sessions.map(({ lifetime }) => lifetime.idle),
      absolutes: sessions.map(({ absolute }) => absolute),
      ...giveEntriesById(sessions.map(({ id, entries }) => ({ id, written: entries }))),
    }),
    sql: ({
      ids,
      hashes,
      users,
      ownIdles,
      idles,
      absolutes,
      owners,
      keys,
      values,
      ...details
    }) => ({
      created: `
        ${insertNewSessions(session, {
          newId: 'n.id',
          hash: 'n.hash',
          newUser: 'n.user_id',
          ownIdle: 'n.own_idle',
          idle: 'n.idle',
          absolute: 'n.absolute',
          tags: 'n.tags::text[]',
          actor: 'n.actor',
          actorSession: 'n.actor_session',
          from: `from unnest(
            ${ids}, ${hashes}, ${users}, ${ownIdles}, ${idles}, ${absolutes},
            ${details.tags}, ${details.actors}, ${details.actorSessions}
          ) as n (id, hash, user_id, own_idle, idle, absolute, tags, actor, actor_session)`,
        })}
        on conflict (id) do nothing
        returning id, ${TIME_COLUMNS}`,
      written: `
        insert into ${sessionData} (session_id, key, value)
        select created.id, e.key, e.value
        from created join unnest(${owners}, ${keys}, ${values}) as e (id, key, value)
          on e.id = created.id`,
      answer: `select uuid_send(created.id) || ${packTimes('created')} as packed from created`,
    }),
    packed(answer, sessions) {
      const times = new Map<string, SessionTimes>()
      while (!answer.isAtEnd) times.set(answer.uuid(), readTimes(answer))
      return sessions.map(({ id }): Creation => {
        const own = times.get(id)
        return own === undefined
          ? PRESENT
          : { status: 'created', times: own, version: FIRST_VERSION }
      })
    },
  })
}

const PRESENT: Creation = { status: 'present' }

/** Tells a create whose first answer was lost from another session with this id. */
export function findCreated({
  session,
}: TableNames): Operation<Pick<NewSession, 'id' | 'secretHash'>, SessionTimes | null> {
  return operation({
    name: 'find_created',
    effect: 'none',
    parameters: { id: uuid, hash: bytes },
    give: ({ id, secretHash }: Pick<NewSession, 'id' | 'secretHash'>) => ({ id, hash: secretHash }),
    sql: ({ id, hash }) => ({
      answer: `
        select ${packTimes('s')} as packed
        from ${session} as s
        where s.id = ${id} and s.secret_hash = ${hash}`,
    }),
    packedRow: (answer) => (answer.isAtEnd ? null : readTimes(answer)),
  })
}
