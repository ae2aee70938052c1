import {
  ConfigurationError,
  LimitExceededError,
  SessionGoneError,
  UnsupportedError,
} from '../errors.ts'
import type { Deadline } from '../store/deadline.ts'
import type { SessionStore } from '../store/session-store.ts'
import { MOST_TAGS } from '../store/session-tags.ts'
import { isUserId } from '../store/user-id.ts'
import type { SessionContext } from './session-context.ts'
import type { SessionSnapshot } from './session-snapshot.ts'

/** @throws {ConfigurationError} It is not a string that can be a tag. */
export function checkTag(method: string, tag: unknown): asserts tag is string {
  // What a user's id can be, a tag can be.
  if (isUserId(tag)) return
  throw new ConfigurationError(
    `${method} takes tags: strings of 1 to 255 characters without NUL or lone surrogates.`,
  )
}

/**
 * Reads the tags of a sign-in.
 *
 * @returns Each once.
 * @throws {ConfigurationError} It is not a list of tags.
 * @throws {LimitExceededError} There are too many.
 */
export function readTags(tags: unknown): readonly string[] {
  if (!Array.isArray(tags)) {
    throw new ConfigurationError("tags must be a list of strings, such as ['tenant:7'].")
  }
  for (const tag of tags) checkTag('tags', tag)
  const distinct = [...new Set<string>(tags)]
  if (distinct.length > MOST_TAGS) throw tooMany()
  return distinct
}

/** @throws {UnsupportedError} The store keeps no tags. */
export function refuseWithoutTags(store: Pick<SessionStore, 'name' | 'tag'>): void {
  if (store.tag !== undefined) return
  throw new UnsupportedError(
    `The store '${store.name}' keeps no tags. Leave them out, and find sessions by their user.`,
  )
}

/** Tags to add, and tags to take away. */
export interface TagsToChange {
  readonly added?: readonly string[]
  readonly removed?: readonly string[]
}

/**
 * Adds tags to a session, or takes them away.
 *
 * @returns Those that it has then.
 * @throws {ConfigurationError} There is no stored session.
 * @throws {LimitExceededError} The session would have too many. Nothing has changed.
 * @throws {SessionGoneError} The session ended, or passed to another user, meanwhile.
 */
export async function tagSession(
  { store }: SessionContext,
  known: SessionSnapshot | null,
  { added = [], removed = [] }: TagsToChange,
  deadline: Deadline,
): Promise<readonly string[]> {
  refuseWithoutTags(store)
  if (known === null) {
    throw new ConfigurationError(
      'Tags need a stored session, and this visitor has none. Sign in first, or pass tags to signIn.',
    )
  }
  const result = await store.tag?.({ ...known.guard, added, removed }, { deadline })
  if (result?.status === 'full') throw tooMany()
  if (result?.status !== 'tagged') throw new SessionGoneError(known.id)
  return result.tags
}

function tooMany(): LimitExceededError {
  return new LimitExceededError(
    `A session may have ${MOST_TAGS} tags. Take one away by untag, or keep such names in a table of yours.`,
  )
}
