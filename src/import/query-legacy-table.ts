import { SchemaError, StoreError } from '../errors.ts'

/**
 * Asks something of tables that sessions come from. Ours are ready, so what is missing is theirs.
 *
 * @param missing - What to say of it, and what to write instead.
 * @throws {SchemaError} They are missing, or not what they should be.
 */
export async function queryLegacyTable<Answer>(
  ask: () => Promise<Answer>,
  missing: string,
): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof SchemaError) {
      throw new SchemaError(error.code as 'ERR_SCHEMA_MISSING' | 'ERR_SCHEMA_OUTDATED', missing)
    }
    if (error instanceof StoreError && isOfOtherTypes(error)) {
      throw new SchemaError('ERR_SCHEMA_OUTDATED', missing)
    }
    throw error
  }
}

/** Columns of these names, with types that cannot be what they should. */
export function isOfOtherTypes({ sqlState }: StoreError): boolean {
  return sqlState !== undefined && OTHER_TYPES.has(sqlState)
}

/** Undefined function or operator, types that cannot be matched, and no such cast. */
const OTHER_TYPES: ReadonlySet<string> = new Set(['42883', '42804', '42846'])
