import { ConfigurationError } from './errors.ts'

/** Whose a session must be to be ended. A `userId` of null, as a visitor's `session.userId` is, owns no session. */
export type SessionOwner = { readonly userId: string | null | undefined } | null

/** Sessions that stay when others end. */
export interface ExceptOptions {
  /** The public id of a session to keep, usually the current one, or several. */
  readonly except?: string | readonly string[] | null
}

/** @throws {ConfigurationError} If it is not a string, as the id of a session that is not stored. */
export function checkedId(what: string, id: unknown): string {
  if (typeof id === 'string') return id.toLowerCase()
  throw new ConfigurationError(
    `${what} takes the public id of a session, a string such as session.id; null is the id of none.`,
  )
}

/** One id, several, or none. @throws {ConfigurationError} As `checkedId` does. */
export function checkedIds(
  what: string,
  ids: string | readonly string[] | null | undefined,
): string[] {
  return [ids ?? []].flat().map((id) => checkedId(what, id))
}
