import type {
  Entry,
  Lifetime,
  NewSession,
  Precondition,
  SessionChange,
} from '../../store/session-store.ts'
import {
  bytes,
  duration,
  float,
  integer,
  list,
  listToChange,
  type ParameterTypes,
  text,
  textsOrNull,
  uuid,
} from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** Parameters that several operations share, and how a call gives them. */

/** What guards every write. */
interface Guard {
  readonly id: string
  readonly user: string | null
  readonly version: number | null
}

export const guardTypes: ParameterTypes<Guard> = { id: uuid, user: text, version: integer }

export function giveGuard({ id, userId, version }: Precondition): Guard {
  return { id, user: userId, version: giveVersion(version) }
}

/** Null when the caller does not say what it saw. */
export function giveVersion(version: string | undefined): number | null {
  return version === undefined ? null : Number(version)
}

export const lifetimeTypes: ParameterTypes<Lifetime> = { idle: duration, purge: duration }

export interface Entries {
  readonly keys: readonly Uint8Array[]
  readonly values: readonly Uint8Array[]
}

export const entryTypes: ParameterTypes<Entries> = { keys: list(bytes), values: list(bytes) }

export function giveEntries(entries: readonly Entry[]): Entries {
  return { keys: entries.map(({ key }) => key), values: entries.map(({ value }) => value) }
}

/** The entries that a change removes and writes. */
interface EntryChanges extends Entries {
  readonly deleted: readonly Uint8Array[]
}

export function changeTypes(
  names: Pick<TableNames, 'isDistributed'>,
): ParameterTypes<EntryChanges> {
  return { deleted: listToChange(bytes, names), ...entryTypes }
}

export function giveChange({ deleted, written }: SessionChange): EntryChanges {
  return { deleted, ...giveEntries(written) }
}

/** The entries of several sessions, each with its session's id. */
interface EntriesById extends Entries {
  readonly owners: readonly string[]
}

export const entriesByIdTypes: ParameterTypes<EntriesById> = { owners: list(uuid), ...entryTypes }

export function giveEntriesById(
  sessions: readonly { readonly id: string; readonly written: readonly Entry[] }[],
): EntriesById {
  return {
    owners: sessions.flatMap(({ id, written }) => written.map(() => id)),
    ...giveEntries(sessions.flatMap(({ written }) => written)),
  }
}

/** The entries that several sessions' changes remove and write. */
interface ChangesById extends EntriesById {
  readonly deletedFrom: readonly string[]
  readonly deleted: readonly Uint8Array[]
}

export const changesByIdTypes: ParameterTypes<ChangesById> = {
  deletedFrom: list(uuid),
  deleted: list(bytes),
  ...entriesByIdTypes,
}

export function giveChangesById(changes: readonly SessionChange[]): ChangesById {
  return {
    deletedFrom: changes.flatMap(({ id, deleted }) => deleted.map(() => id)),
    deleted: changes.flatMap(({ deleted }) => deleted),
    ...giveEntriesById(changes),
  }
}

interface NewSessionValues extends Entries {
  readonly newId: string
  readonly hash: Uint8Array
  readonly newUser: string | null
  readonly ownIdle: number | null
  readonly idle: number
  readonly absolute: number
}

export const newSessionTypes: ParameterTypes<NewSessionValues> = {
  newId: uuid,
  hash: bytes,
  newUser: text,
  ownIdle: float,
  idle: duration,
  absolute: duration,
  ...entryTypes,
}

export function giveNewSession(session: NewSession): NewSessionValues {
  return {
    newId: session.id,
    hash: session.secretHash,
    newUser: session.userId,
    ownIdle: session.ownIdleTimeout,
    idle: session.lifetime.idle,
    absolute: session.absolute,
    ...giveEntries(session.entries),
  }
}

/** What only few sessions begin with. */
interface NewSessionDetails {
  readonly tags: readonly string[] | null
  readonly actor: string | null
  readonly actorSession: string | null
}

export const newSessionDetailTypes: ParameterTypes<NewSessionDetails> = {
  tags: textsOrNull,
  actor: text,
  actorSession: uuid,
}

export function giveNewSessionDetails({ tags, actor }: NewSession): NewSessionDetails {
  return {
    tags: tags === undefined || tags.length === 0 ? null : tags,
    actor: actor?.userId ?? null,
    actorSession: actor?.sessionId ?? null,
  }
}

/** Whether a session begins with any of them. */
export function hasDetails({ tags, actor }: NewSession): boolean {
  return tags !== undefined || actor !== undefined
}

/** About how many bytes a call carries. */
export function sizeOfEntries(entries: readonly Entry[]): number {
  return entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
}
