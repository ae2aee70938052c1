import { insertSessions } from '../session-columns.ts'

/** What becomes of the columns of sessions that begin, as SQL. */
interface NewSessionSql {
  readonly newId: string
  readonly hash: string
  readonly newUser: string
  readonly ownIdle: string
  readonly idle: string
  readonly absolute: string
  /** What only few sessions begin with: all of these, or none. */
  readonly tags?: string
  readonly actor?: string
  readonly actorSession?: string
  /** Where they come from; one session of the parameters when absent. */
  readonly from?: string
}

/** The version of a session that begins, as the column's default has it. */
export const FIRST_VERSION = '0'

/** Purge finds a session that is never used again as soon as it expires. */
export function insertNewSessions(session: string, made: NewSessionSql): string {
  const {
    newId,
    hash,
    newUser,
    ownIdle,
    idle,
    absolute,
    tags,
    actor,
    actorSession,
    from = '',
  } = made
  const isSignIn = actor === undefined ? '' : ` and ${actor} is null`
  // LEAST ignores nulls, so a timeout of null never comes.
  const expiry = `least('infinity', now() + ${absolute}, now() + ${idle})`
  return insertSessions(
    session,
    {
      id: newId,
      secret_hash: hash,
      user_id: newUser,
      own_idle_ms: ownIdle,
      created_at: 'now()',
      authenticated_at: `case when ${newUser} is not null${isSignIn} then now() end`,
      last_access_at: 'now()',
      token_issued_at: 'now()',
      expires_at: expiry,
      absolute_expires_at: `least('infinity', now() + ${absolute})`,
      purge_at: expiry,
      ...(tags === undefined ? {} : { tags }),
      ...(actor === undefined ? {} : { actor_id: actor }),
      ...(actorSession === undefined ? {} : { actor_session: actorSession }),
    },
    from,
  )
}

/** The entries of the session that the step `made` has begun. */
export function insertEntries(
  sessionData: string,
  { newId, keys, values }: Readonly<Record<'newId' | 'keys' | 'values', string>>,
  made: string,
): string {
  return `
        insert into ${sessionData} (session_id, key, value)
        select ${newId}, e.key, e.value
        from ${made}, unnest(${keys}, ${values}) as e (key, value)`
}
