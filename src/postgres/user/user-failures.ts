import { StoreError } from '../../errors.ts'

/** What to do about the application's own SQL, where the server's words leave it open. */
export function adviceForUserSql(sqlState: string): string {
  if (sqlState === '42501') {
    return ' Grant the role of the sessions SELECT on the table of your users, and USAGE on its schema.'
  }
  return NO_SUCH_OPERATOR.has(sqlState)
    ? ' The user id $1 is text: cast it to the type of your key, as in $1::bigint.'
    : ''
}

const NO_SUCH_OPERATOR: ReadonlySet<string> = new Set(['42883', '42725', '42804', '42846'])

/**
 * Says that the setting `user` is at fault, where it is. Of a statement that loads a session, only the user's part computes something that can fail for one id and not for
 * another: a cast, a division, an exception of a function.
 */
export function explainUserFailure(error: unknown): unknown {
  const sqlState = error instanceof StoreError ? error.sqlState : undefined
  if (sqlState === undefined || !FAILS_FOR_A_VALUE.test(sqlState)) return error
  const { statement } = error as StoreError
  return new StoreError(
    `What the setting user selects fails for the user id of this session (SQLSTATE ${sqlState}), so the session cannot be loaded. Write a query that finds no row for such an id: of $1::bigint, case when $1 ~ '^[0-9]{1,18}$' then $1::bigint end.`,
    { sqlState, ...(statement === undefined ? {} : { statement }), cause: error },
  )
}

const FAILS_FOR_A_VALUE = /^(?:22|21|P0)/
