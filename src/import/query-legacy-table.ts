import { SchemaError } from '../errors.ts'

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
    if (!(error instanceof SchemaError)) throw error
    throw new SchemaError(error.code as 'ERR_SCHEMA_MISSING' | 'ERR_SCHEMA_OUTDATED', missing)
  }
}
