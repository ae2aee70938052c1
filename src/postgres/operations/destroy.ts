import { StoreError } from '../../errors.ts'
import type { DestroyResult, EndedSession, Ending } from '../../store/session-store.ts'
import type { AnswerRow } from '../answer-rows.ts'
import type { SharedOperation } from '../batcher.ts'
import { type Operation, operation } from '../operation.ts'
import {
  boolean,
  bytes,
  list,
  listToChange,
  type ParameterTypes,
  text,
  uuid,
} from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'
import type { LookedUp, Selection } from './find-sessions.ts'
import { opensTo } from './session-sql.ts'

/**
 * Ends a session, on behalf of anyone, its owner or a working token, and tells whose it was if it was live.
 *
 * Not repeated by itself: a repeat does no harm, but it finds nothing of what the first attempt has ended.
 */
export function destroyOperation(names: TableNames): SharedOperation<Ending, DestroyResult> {
  const single = destroyOne(names, 'once')
  return {
    single: () => single,
    batch: destroyMany(names),
    sessionOf: ({ id }) => id,
    isExclusive: true,
    sizeOf: () => 0,
  }
}

/** Ends a session after an answer that got lost. Its own answer does not tell what the first attempt has done. */
export function destroyAgain(names: TableNames): Operation<Ending, DestroyResult> {
  return destroyOne(names, 'idempotent')
}

/**
 * What a repeat has found, together with what was there before the first attempt: that one may have ended it.
 *
 * @param before - What was there before the first attempt, if the caller has looked. A caller with a token has not.
 */
export function endedBefore(
  found: DestroyResult,
  { owner, secretHashes }: Ending,
  before: LookedUp['found'],
): DestroyResult {
  if (found.status !== 'gone') return found
  if (secretHashes !== undefined) return { status: 'gone', isInDoubt: true }
  const wasTheirs = before?.isLive && (owner === undefined || owner === before.userId)
  return wasTheirs ? { status: 'ended', userId: before.userId } : found
}

function destroyOne(
  { session }: TableNames,
  effect: 'once' | 'idempotent',
): Operation<Ending, DestroyResult> {
  return operation({
    name: 'destroy',
    effect,
    parameters: endingTypes,
    give: giveEnding,
    sql: (given) => ({
      ...endFound(session, given),
      answer: `
        select user_id, was_live, is_held, not exists (select from ended) as is_kept from found`,
    }),
    rows: ([row]) => (row === undefined ? { status: 'gone' } : readEnded(row)),
  })
}

type Ends = readonly (DestroyResult | null)[]

/** Never waits: a session that another statement holds locked is left out, and ended alone. */
function destroyMany({ session }: TableNames): Operation<readonly Ending[], Ends> {
  return operation({
    name: 'destroy_many',
    effect: 'once',
    parameters: {
      ids: list(uuid),
      haveOwner: list(boolean),
      owners: list(text),
      haveToken: list(boolean),
      hashes: list(text),
    },
    give: (endings: readonly Ending[]) => {
      const given = endings.map(giveEnding)
      return {
        ids: given.map(({ id }) => id),
        haveOwner: given.map(({ hasOwner }) => hasOwner),
        owners: given.map(({ owner }) => owner),
        haveToken: given.map(({ hasToken }) => hasToken),
        hashes: given.map(({ hashes }) => list(bytes).write(hashes)),
      }
    },
    sql: ({ ids, haveOwner, owners, haveToken, hashes }) => ({
      found: `${findEnding(session, {
        id: 'c.id',
        hasOwner: 'c.has_owner',
        owner: 'c.owner',
        hasToken: 'c.has_token',
        hashes: 'c.hashes::bytea[]',
        of: `unnest(${ids}, ${haveOwner}, ${owners}, ${haveToken}, ${hashes})
            as c (id, has_owner, owner, has_token, hashes),`,
      })}
        for update of s skip locked`,
      ended: `
        delete from ${session} as s
        using found
        where s.id = found.id and found.is_held
        returning s.id`,
      answer: `
        select id, user_id, was_live, is_held, id not in (select ended.id from ended) as is_kept
        from found`,
    }),
    // A session that is missing from the answer is gone, or locked: alone it turns out.
    rows(rows, endings) {
      const results = new Map(rows.map((row) => [row.text('id'), readEnded(row)]))
      return endings.map(({ id }) => results.get(id) ?? null)
    },
  })
}

/** Whose end it is: everybody's unless an owner or a token is given. */
interface EndingValues {
  readonly id: string
  readonly hasOwner: boolean
  readonly owner: string | null
  readonly hasToken: boolean
  readonly hashes: readonly Uint8Array[]
}

export const endingTypes: ParameterTypes<EndingValues> = {
  id: uuid,
  hasOwner: boolean,
  owner: text,
  hasToken: boolean,
  hashes: list(bytes),
}

/** An owner of null, which the type forbids, owns nothing. */
export function giveEnding({ id, owner, secretHashes }: Ending): EndingValues {
  return {
    id,
    hasOwner: owner !== undefined,
    owner: owner ?? null,
    hasToken: secretHashes !== undefined,
    hashes: secretHashes ?? [],
  }
}

/** Finds a session, and ends it if it is the caller's to end. */
export function endFound(
  session: string,
  given: Readonly<Record<keyof EndingValues, string>>,
): { readonly found: string; readonly ended: string } {
  return {
    found: `${findEnding(session, given)}
        for update`,
    ended: `
        delete from ${session} as s
        using found
        where s.id = ${given.id} and found.is_held
        returning s.id`,
  }
}

/**
 * Finds a session to end. Locked before it is ended: of a session that another request has just ended or
 * changed, this sees the latest.
 */
function findEnding(
  session: string,
  given: Readonly<Record<keyof EndingValues, string>> & { readonly of?: string },
): string {
  const { id, hasOwner, owner, hasToken, hashes, of = '' } = given
  return `
        select s.id, s.user_id, s.expires_at > now() as was_live,
          s.expires_at <= now() or not ${hasToken} or ${opensTo(hashes)} as is_held
        from ${of} ${session} as s
        where s.id = ${id} and (not ${hasOwner} or s.user_id = ${owner})`
}

function readEnded(row: AnswerRow): DestroyResult {
  if (!row.boolean('was_live')) return { status: 'gone' }
  if (!row.boolean('is_held')) return { status: 'superseded' }
  refuseKept(row.boolean('is_kept'))
  return { status: 'ended', userId: row.textOrNull('user_id') }
}

/**
 * Refuses to call a session ended that lives on.
 *
 * @throws {StoreError} If the database has kept it.
 */
export function refuseKept(isKept: boolean): void {
  if (!isKept) return
  throw new StoreError(
    'The database kept a session that should have ended: a trigger on the session tables, or row level security, has stopped its deletion. Let the trigger return OLD, or the policy allow DELETE.',
  )
}

export interface EndingOfSeveral {
  /** The user, or the tag. */
  readonly of: string
  /** Ids of the sessions that stay. */
  readonly except: readonly string[]
}

/**
 * Ends all sessions of a user, or with a tag, but those named, and tells which were live.
 *
 * It locks them in the order of their ids, as all do that lock several, so that no two calls wait for each other.
 * Never repeated by itself, since the answer to a repeat lacks what the first has ended.
 */
export function destroySeveral(
  names: TableNames,
  { name, isMeant }: Selection,
): Operation<EndingOfSeveral, readonly EndedSession[]> {
  const { session, isDistributed } = names
  return operation({
    name: `destroy_${name}`,
    effect: 'once',
    parameters: { of: text, except: listToChange(uuid, names) },
    give: ({ of, except }: EndingOfSeveral) => ({ of, except }),
    sql: ({ of, except }) => {
      const isDoomed = `${isMeant(of)} and s.id <> all (${except})`
      const found = `
        select s.id
        from ${session} as s
        where ${isDoomed}
        order by s.id
        for update`
      return {
        ...(!isDistributed && { found }),
        ended: `
        delete from ${session} as s
        where ${isDistributed ? isDoomed : 's.id = any (array(select id from found))'}
        returning s.id, s.user_id, s.expires_at`,
        answer: `select id, user_id from ended where expires_at > now()`,
      }
    },
    rows: (rows) => rows.map((row) => ({ id: row.text('id'), userId: row.textOrNull('user_id') })),
  })
}
