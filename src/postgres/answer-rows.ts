import { UndecodableError } from '../errors.ts'

/** One row of an answer, by column. Each method throws when the column does not hold what it reads. */
export class AnswerRow {
  readonly #columns: Readonly<Record<string, unknown>>

  constructor(columns: unknown) {
    if (typeof columns !== 'object' || columns === null) throw new UndecodableError('not a row')
    this.#columns = columns as Readonly<Record<string, unknown>>
  }

  text(column: string): string {
    return this.#read(column, 'string') as string
  }

  textOrNull(column: string): string | null {
    return this.#columns[column] === null ? null : this.text(column)
  }

  number(column: string): number {
    return this.#read(column, 'number') as number
  }

  numberOrNull(column: string): number | null {
    return this.#columns[column] === null ? null : this.number(column)
  }

  boolean(column: string): boolean {
    return this.#read(column, 'boolean') as boolean
  }

  booleanOrNull(column: string): boolean | null {
    return this.#columns[column] === null ? null : this.boolean(column)
  }

  /** Of a column written as `encode(…, 'base64')`. */
  bytesOrNull(column: string): Uint8Array | null {
    const digits = this.textOrNull(column)
    return digits === null ? null : Buffer.from(digits, 'base64')
  }

  #read(column: string, type: 'string' | 'number' | 'boolean'): unknown {
    const value = this.#columns[column]
    if (typeof value !== type) throw new UndecodableError(`column ${column} holds no ${type}`)
    return value
  }
}

/** Reads what `json_agg` made of the rows. */
export function readAnswerRows(body: string): AnswerRow[] {
  const rows: unknown = JSON.parse(body)
  if (!Array.isArray(rows)) throw new UndecodableError('not a list of rows')
  return rows.map((row) => new AnswerRow(row))
}

/** The row of an answer that has exactly one. */
export function onlyRow(rows: readonly AnswerRow[]): AnswerRow {
  const [row, ...others] = rows
  if (row === undefined || others.length > 0)
    throw new UndecodableError(`${rows.length} rows, not one`)
  return row
}
