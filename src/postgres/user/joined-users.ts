import { ConfigurationError, StoreError } from '../../errors.ts'
import { nearestName } from '../../options/nearest-name.ts'
import { placesOf, validate } from '../../options/standard-schema.ts'
import type { LoadResult } from '../../store/session-store.ts'
import { readClientError } from '../client-error.ts'
import type { Driver, Row } from '../driver.ts'
import { noteExplanation } from '../explanations.ts'
import type { Operation } from '../operation.ts'
import type { LoadedSession } from '../operations/load.ts'
import { freshProof } from '../proof.ts'
import { classifyDatabaseError, sqlStateOf } from '../sql-state.ts'
import { surveyUserTable, tryUserQuery, type UserColumn } from './survey-user-table.ts'
import { adviceForUserSql, explainUserFailure } from './user-failures.ts'
import { type FoundUser, KEY_TYPES, ownRows, tableRows, type UserRowSql } from './user-row.ts'
import type { JoinedUserOptions, UserSource } from './user-settings.ts'

/** The users whose rows are read with their sessions. */
export class JoinedUsers {
  readonly #options: JoinedUserOptions
  #rows: UserRowSql | null = null

  constructor(options: JoinedUserOptions) {
    this.#options = options
  }

  /** How a row is read. Known once `prepare` has resolved. */
  get rows(): UserRowSql {
    if (this.#rows === null) throw new StoreError('The users have not been prepared.')
    return this.#rows
  }

  /**
   * Compares the settings with the database.
   *
   * @param timeout - Milliseconds for each of at most two statements.
   * @throws {ConfigurationError} If they do not fit; says what does.
   */
  async prepare(driver: Driver, timeout: number): Promise<void> {
    const { source } = this.#options
    const rows =
      source.kind === 'query'
        ? ownRows(source)
        : await ask(driver, surveyUserTable, source.table, timeout).then((columns) =>
            rowsOf(source, columns),
          )
    await ask(driver, tryUserQuery(rows), undefined, timeout)
    this.#rows = rows
  }

  /** Puts the user into the record of a session that has been loaded. @throws {StoreError} As `user` does. */
  async join(loading: Promise<LoadedSession>): Promise<LoadResult> {
    const loaded = await loading.catch((error: unknown) =>
      Promise.reject(explainUserFailure(error)),
    )
    if (loaded.status !== 'live' || loaded.found === undefined) return loaded
    const { record, found } = loaded
    const user = record.userId === null ? null : await this.user(found)
    return { status: 'live', record: Object.assign(record, { user }) }
  }

  /**
   * The user as `session.user` shows it; null for a user who is gone.
   *
   * @throws {StoreError} If several rows were found, or the row does not fit the schema.
   */
  async user(found: FoundUser): Promise<unknown> {
    if (found === 'none') return null
    if (found === 'several') {
      throw new StoreError(
        'The setting user finds several rows for one user id, so it is not certain whose session this is. Select by a key that is unique.',
      )
    }
    const { schema } = this.#options
    if (schema === undefined) return found.row
    const result = await validate(schema, found.row, 'user')
    if (result.issues === undefined) return result.value
    throw new StoreError(
      `The user's row does not fit user.schema at: ${placesOf(result.issues)}. Change the row, what user selects, or the schema.`,
    )
  }
}

/** @throws {ConfigurationError} If the table has not the columns, or no key that can find one user fast. */
function rowsOf(source: UserSource & { kind: 'table' }, found: readonly UserColumn[]): UserRowSql {
  const { columns, key, table } = source
  const [first] = found
  if (first === undefined) {
    throw new ConfigurationError(
      `user.from names ${table}, and the database has no such table or view. Write its schema too, as in 'app.users', and capital letters as the table has them.`,
    )
  }
  const byName = new Map(found.map((column) => [column.name, column]))
  for (const [option, name] of [...columns.map((column) => ['select', column]), ['key', key]]) {
    if (name === undefined || byName.has(name)) continue
    const names = [...byName.keys()]
    const nearest = nearestName(name, names)
    const advice =
      nearest === undefined ? `Its columns are ${names.join(', ')}.` : `Did you mean ${nearest}?`
    throw new ConfigurationError(`user.${option} names ${name}, which ${table} has not. ${advice}`)
  }
  const { type, isUnique, isTable, isHidden } = byName.get(key) as UserColumn
  if (!KEY_TYPES.includes(type)) {
    throw new ConfigurationError(
      `user.key names ${key}, whose type is ${type}; a key is of type ${KEY_TYPES.join(', ')}. Write user.query instead, and cast $1, which is text.`,
    )
  }
  if (isTable && !isUnique) {
    throw new ConfigurationError(
      `user.key names ${key}, which is not unique in ${table}: several users could have one id, and each page would search the table. Create a unique index on it, or name the primary key.`,
    )
  }
  if (isHidden) {
    throw new ConfigurationError(
      `Row level security hides every row of ${table} from this role, so all users would be signed out. Create a policy that lets the role select.`,
    )
  }
  return tableRows(source, new Map(found.map(({ name, type }) => [name, type])))
}

async function ask<Call, Answer>(
  driver: Driver,
  operation: Operation<Call, Answer>,
  call: Call,
  timeout: number,
): Promise<Answer> {
  const proof = freshProof()
  const statement = operation.statement(call, proof)
  let answer: { readonly value: Answer } | undefined
  const check = (rows: readonly Row[]): void => {
    answer = { value: operation.read(rows, call, proof) }
  }
  try {
    const rows = await driver.query(statement, { timeout, check })
    return answer === undefined ? operation.read(rows, call, proof) : answer.value
  } catch (error) {
    noteExplanation(driver, error)
    // What the server says about the application's own SQL, before any value is sent.
    const sqlState = sqlStateOf(error)
    if (sqlState?.startsWith('42')) {
      const { message } = readClientError(error)
      throw new ConfigurationError(
        `PostgreSQL refuses the setting user: ${message}.${adviceForUserSql(sqlState)}`,
      )
    }
    throw classifyDatabaseError(error, statement)
  }
}
