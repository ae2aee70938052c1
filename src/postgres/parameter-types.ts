import { assertBytes } from '../store/assert-bytes.ts'

/**
 * How the value of a parameter travels: as text, with a cast in the SQL. No client's type parsers, date
 * handling or binary formats can then change it.
 */
export interface ParameterType<Value> {
  /** Writes the SQL that stands for the value, given the placeholder of its text. */
  sql(placeholder: string): string
  write(value: Value): string | null
  /** How a list of such values is written: the type of its elements, and one element. */
  readonly element: {
    readonly type: string
    write(value: Exclude<Value, null>): string
  }
}

/** A type for each parameter of a call. */
export type ParameterTypes<Values> = {
  readonly [Name in keyof Values]: ParameterType<Values[Name]>
}

export const text: ParameterType<string | null> = {
  sql: (placeholder) => `${placeholder}::text`,
  write: (value) => value,
  element: { type: 'text', write: quoted },
}

/** The value must be a UUID: PostgreSQL refuses the statement otherwise. */
export const uuid: ParameterType<string | null> = plain('uuid', (value) => value)

/** Any other id names no session, and PostgreSQL would refuse it as an error. */
export function isUuid(id: string): boolean {
  return UUID.test(id)
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const integer: ParameterType<number | null> = plain('int', String)

/** In digits, since a number would not hold each of them. */
export const bigint: ParameterType<string | null> = plain('bigint', (value) => value)

export const float: ParameterType<number | null> = plain('float8', String)

export const boolean: ParameterType<boolean | null> = plain('boolean', String)

export const bytes: ParameterType<Uint8Array | null> = {
  sql: (placeholder) => `decode(${placeholder}::text, 'hex')`,
  write: (value) => value && hex(value),
  element: { type: 'bytea', write: (value) => `"\\\\x${hex(value)}"` },
}

/**
 * Milliseconds as an interval; null when they never pass, or there are none.
 *
 * A product rather than `text::interval`, whose input function is STABLE: distributed engines refuse that
 * beside columns.
 */
export const duration: ParameterType<number | undefined> = {
  sql: (placeholder) => `(${placeholder}::text::float8 * interval '1 s')`,
  write: (value) => (isEndless(value) ? null : seconds(value)),
  element: {
    type: 'interval',
    write: (value) => (isEndless(value) ? 'null' : `"${seconds(value)} s"`),
  },
}

/** Milliseconds since the epoch as a `timestamptz`. */
export const instant: ParameterType<number | null> = {
  ...plain('float8', String),
  sql: (placeholder) => `to_timestamp(${placeholder}::text::float8 / 1000)`,
}

/**
 * A list whose length the planner cannot see.
 *
 * Where it sees the length, a plan for that length always looks cheaper than the one for any length, and
 * PostgreSQL plans the statement again at every call, which costs more than the rest of it.
 *
 * @see https://www.postgresql.org/docs/current/sql-prepare.html
 */
export function list<Value>(of: ParameterType<Value>): ParameterType<readonly Value[]> {
  const { type, write } = of.element
  const element = (value: Value): string =>
    value === null ? 'null' : write(value as Exclude<Value, null>)
  return {
    // Read once, and not for every row. The second cast makes it an expression, which `any` takes.
    sql: (placeholder) => `(select ${placeholder}::text::${type}[])::${type}[]`,
    write: (values) => `{${values.map(element).join(',')}}`,
    element: { type: `${type}[]`, write: (values) => quoted(`{${values.map(element).join(',')}}`) },
  }
}

/** A list of texts for a column, or null. Its length is nothing to the planner there. */
export const textsOrNull: ParameterType<readonly string[] | null> = {
  sql: (placeholder) => `${placeholder}::text::text[]`,
  write: (values) => values && `{${values.map(quoted).join(',')}}`,
  element: { type: 'text[]', write: (values) => quoted(`{${values.map(quoted).join(',')}}`) },
}

/**
 * A list that a step changes rows by. Distributed engines take no subselect there, so the planner sees its length
 * on these.
 */
export function listToChange<Value>(
  of: ParameterType<Value>,
  { isDistributed }: { readonly isDistributed?: boolean },
): ParameterType<readonly Value[]> {
  if (isDistributed !== true) return list(of)
  return { ...list(of), sql: (placeholder) => `${placeholder}::text::${of.element.type}[]` }
}

/** A type whose values need no quotes in a list. */
function plain<Value>(type: string, write: (value: Value) => string): ParameterType<Value | null> {
  return {
    sql: (placeholder) => `${placeholder}::text::${type}`,
    write: (value) => (value === null ? null : write(value)),
    element: { type, write: (value) => write(value as Value) },
  }
}

function hex(value: Uint8Array): string {
  assertBytes(value)
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
}

function isEndless(milliseconds: number | undefined): milliseconds is undefined {
  return milliseconds === undefined || milliseconds === Number.POSITIVE_INFINITY
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(6)
}

/** @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
