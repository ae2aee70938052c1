import { createHash } from 'node:crypto'
import { StoreError, StoreUnavailableError, UndecodableError } from '../errors.ts'
import { AnswerBytes } from './answer-bytes.ts'
import { type AnswerRow, readAnswerRows } from './answer-rows.ts'
import type { Row, Statement } from './driver.ts'
import { type ParameterType, text } from './parameter-types.ts'

/**
 * What a statement does to the database: nothing; the same, however often it is sent; or something that
 * must not happen twice. After a failure that may have applied it, only the first two are sent again.
 */
export type Effect = 'none' | 'idempotent' | 'once'

/** One statement: its SQL, what a call gives it, and what its answer means. */
export interface Operation<Call, Answer> {
  readonly name: string
  readonly effect: Effect
  /** The statement's name on the server, and its text. A name stands for one text. */
  readonly prepared: Pick<Statement, 'name' | 'text'>
  /** @param proof - Of `freshProof`: the answer gives it back. */
  statement(call: Call, proof: string): Statement
  /** @throws {StoreUnavailableError} The rows are not, or not all of, the answer to this call. */
  read(rows: readonly Row[], call: Call, proof: string): Answer
}

type Types = Readonly<Record<string, ParameterType<never>>>

/** What a call gives: a value for each parameter. */
type Given<Parameters extends Types> = {
  readonly [Name in keyof Parameters]: Parameters[Name] extends ParameterType<infer Value>
    ? Value
    : never
}

/** The SQL of each common table expression by its name; `answer` is what the caller gets. */
type Steps = Readonly<Record<string, string>> & { readonly answer: string }

interface Definition<Call, Parameters extends Types> {
  /** Lowercase letters and `_`. It appears in errors, and on the server with a hash of the text. */
  readonly name: string
  readonly effect: Effect
  readonly parameters: Parameters
  /** Steps that run once, where the statement is sent to, and not within the step that reads them. */
  readonly materialized?: readonly string[]
  give(call: Call): Given<Parameters>
  /** Is given the SQL that stands for each parameter. The steps run in their order. */
  sql(parameters: { readonly [Name in keyof Parameters]: string }): Steps
}

/** How the answer is read: by one of these. */
interface Reading<Call, Answer> {
  /**
   * Reads rows of `answer`, whose columns must be text, numbers, booleans or null. They travel as JSON:
   * write `encode(…, 'base64')` for bytes.
   */
  rows?(rows: readonly AnswerRow[], call: Call): Answer
  /** Reads the byte strings that `answer` gives in its one column `packed`, one after the other. */
  packed?(bytes: AnswerBytes, call: Call): Answer
  /** Does so where `answer` gives at most one row; there are no bytes if it gives none. */
  packedRow?(bytes: AnswerBytes, call: Call): Answer
  /** What it means that the statement has run; `answer` gives nothing. */
  done?(call: Call): Answer
}

/**
 * Defines a statement. Nothing else writes placeholders, casts of parameters, or names of statements.
 *
 * Each call sends a text of its own, and the last row of every answer gives it back, also when `answer` has no
 * rows. So another call's answer, a missing one, one with holes and one that was cut off are told from "there
 * is nothing", and fail.
 *
 * @example
 * ```ts
 * import { text } from './parameter-types.ts'
 *
 * const countOf = (table: string) => operation({
 *   name: 'count_of_user',
 *   effect: 'none',
 *   parameters: { user: text },
 *   give: (user: string) => ({ user }),
 *   sql: ({ user }) => ({ answer: `select count(*) from ${table} where user_id = ${user}` }),
 *   rows: ([row]) => row?.number('count') ?? 0,
 * })
 * ```
 */
export function operation<Call, Parameters extends Types, Answer>(
  definition: Definition<Call, Parameters> & Reading<Call, Answer>,
): Operation<Call, Answer> {
  const { name, effect, give } = definition
  const parameters = definition.parameters as Readonly<Record<string, ParameterType<unknown>>>
  const { text: sqlText, used } = writeText(definition, parameters)
  const types = used.map((parameter) => [parameter, parameters[parameter]] as const)
  const prepared = { name: statementName(name, sqlText), text: sqlText }
  return {
    name,
    effect,
    prepared,
    statement(call, proof) {
      const given: Readonly<Record<string, unknown>> = give(call)
      const values = types.map(([parameter, type]) => type?.write(given[parameter]) ?? null)
      values.push(proof)
      return { ...prepared, values }
    },
    read(rows, call, proof) {
      const last = rows.at(-1)
      if (last?.proof !== proof || typeof last.answer !== 'string') {
        throw unreadable(prepared.name, effect, 'belongs to another statement, or is missing')
      }
      try {
        return readAnswer(definition, rows, call)
      } catch (error) {
        if (error instanceof StoreError) throw error
        throw unreadable(prepared.name, effect, 'is cut off, or not of the form that it asked for')
      }
    },
  }
}

/** Writes the SQL, and tells which parameters it uses, in their order; the proof comes after them. */
function writeText<Call, Parameters extends Types, Answer>(
  definition: Definition<Call, Parameters> & Reading<Call, Answer>,
  parameters: Readonly<Record<string, ParameterType<unknown>>>,
): { readonly text: string; readonly used: readonly string[] } {
  const entries = Object.entries(parameters)
  const marked = entries.map(([name, type]) => [name, type.sql(`${MARK}${name}${MARK}`)])
  const steps = definition.sql(Object.fromEntries(marked))
  const { materialized = [] } = definition
  const expressions = Object.entries(steps).map(
    ([name, sql]) => `${name} as ${materialized.includes(name) ? 'materialized ' : ''}(${sql})`,
  )
  const used: string[] = []
  const withSteps = `with ${expressions.join(',\n')}`.replace(MARKED, (_, name: string) => {
    if (!used.includes(name)) used.push(name)
    return `$${used.indexOf(name) + 1}`
  })
  const proof = text.sql(`$${used.length + 1}`)
  return { text: `${withSteps}\n${finalSelect(definition, proof)}`, used }
}

/** A character that no SQL holds. */
const MARK = '\u0001'
const MARKED = new RegExp(`${MARK}(\\w+)${MARK}`, 'g')

/**
 * The rows that travel; the last one gives the proof back. Byte strings travel in a row each: a client and a
 * server handle a few rows far faster than one text of their size.
 */
function finalSelect({ rows, packed, packedRow }: Reading<never, unknown>, proof: string): string {
  if (rows !== undefined) {
    return `select ${proof} as proof, coalesce((select pg_catalog.json_agg(answer)::text from answer), '[]') as answer`
  }
  if (packedRow !== undefined) {
    return `select ${proof} as proof, coalesce((select encode(packed, 'base64') from answer), '') as answer`
  }
  const end = `select ${proof} as proof, '' as answer`
  if (packed === undefined) return end
  return `select null as proof, encode(packed, 'base64') as answer from answer\nunion all\n${end}`
}

function readAnswer<Call, Answer>(
  reading: Reading<Call, Answer>,
  rows: readonly Row[],
  call: Call,
): Answer {
  if (reading.packed !== undefined) {
    return readBytes(reading.packed, rows.slice(0, -1).map(bodyOf), call)
  }
  const [row, ...others] = rows
  if (row === undefined || others.length > 0) throw new UndecodableError('more rows than one')
  const body = bodyOf(row)
  if (reading.packedRow !== undefined) {
    return readBytes(reading.packedRow, body === '' ? [] : [body], call)
  }
  if (reading.rows !== undefined) return reading.rows(readAnswerRows(body), call)
  return reading.done?.(call) as Answer
}

function readBytes<Call, Answer>(
  read: (bytes: AnswerBytes, call: Call) => Answer,
  rows: readonly string[],
  call: Call,
): Answer {
  const bytes = new AnswerBytes(rows)
  const answer = read(bytes, call)
  if (!bytes.isAtEnd) throw new UndecodableError('the answer goes on')
  return answer
}

function bodyOf(row: Row | undefined): string {
  if (typeof row?.answer !== 'string') throw new UndecodableError('a row is missing')
  return row.answer
}

/** Two stores with other tables, or two releases, may share connections. */
function statementName(name: string, sqlText: string): string {
  return `pg_sessions_${name}_${createHash('sha256').update(sqlText).digest('hex').slice(0, 8)}`
}

function unreadable(statement: string, effect: Effect, problem: string): StoreUnavailableError {
  const outcome = effect === 'none' ? 'none' : 'unknown'
  const consequence =
    outcome === 'none' ? 'Nothing was written.' : 'Whether a change was applied is not known.'
  return new StoreUnavailableError(
    `The answer that the database client gave to statement '${statement}' ${problem}. ${consequence} Give pg-sessions a database client that nothing else uses.`,
    outcome,
    { statement },
  )
}
