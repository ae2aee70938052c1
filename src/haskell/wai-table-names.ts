import { resolveTableNames } from '../postgres/table-names.ts'

/** The original's tables as they stand in SQL. Their names cannot be chosen, their schema can. */
export interface WaiTableNames {
  /** The schema, quoted. */
  readonly schema: string
  /** The schema as the user writes it. */
  readonly rawSchema: string
  readonly sessions: string
  readonly data: string
}

/** @throws {ConfigurationError} The schema's name cannot be one. */
export function waiTableNames(schema: string): WaiTableNames {
  const quoted = resolveTableNames({ schema }).schema
  return Object.freeze({
    schema: quoted,
    rawSchema: schema,
    sessions: `${quoted}.wai_pg_sessions`,
    data: `${quoted}.wai_pg_session_data`,
  })
}
