/** The original's clock and deadline in SQL, and our guard. Columns are those of `wai_pg_sessions`. */

/**
 * Whole seconds of a time, as the original's clock has them: to the nearest, and halves to the even one.
 *
 * `round` of a float8 goes to the even one on every platform that PostgreSQL supports, `round` of a
 * numeric would not. So created and last access may lie half a second ahead.
 *
 * @see https://www.postgresql.org/docs/current/functions-math.html
 */
export function wholeSeconds(time: string): string {
  return `round(date_part('epoch', ${time}))::bigint`
}

export const NOW: string = wholeSeconds('now()')

/**
 * A session that has been idle for exactly the timeout, in milliseconds, is live; one second later it is not.
 *
 * It is found by its id or key. The sum keeps PostgreSQL from looking through all live sessions by their
 * last access instead, which seem to be few when its statistics are an hour old.
 */
export function isLive(timeout: number): string {
  return `session_last_access + 0 >= ${NOW} - ${timeout / 1000}`
}

/**
 * The session's version: its flag, and a hash of its key. A login on the other side sets the flag and then
 * changes the key, so a session with another version may belong to someone else.
 *
 * A flag comes with the transaction that wrote the row (`xmin`), so that a second `clearSession` changes
 * the version too.
 */
const VERSION: string = `concat(
            case when session_invalidate_key then concat('flagged ', xmin, ' ') end,
            encode(sha256(convert_to(session_key, 'UTF8'::name)), 'hex')
          )`

export const STATE: string = `concat_ws(' ', id, session_created_at, session_last_access,
          date_part('epoch', now()), ${VERSION})`

/** The session of this id, live under the timeout, that still is what the caller saw. */
export function isGuarded(
  { id, version }: Readonly<Record<'id' | 'version', string>>,
  timeout: number,
): string {
  return `id = ${id} and ${isLive(timeout)} and (${version} is null or ${VERSION} = ${version})`
}

export const NOTE_ACCESS: string = `session_last_access = greatest(session_last_access, ${NOW})`
