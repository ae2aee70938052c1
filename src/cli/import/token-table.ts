import { ConfigurationError, SchemaError, StoreError } from '../../errors.ts'
import type { ImportSource } from '../../import/import-source.ts'
import { isOfOtherTypes } from '../../import/query-legacy-table.ts'
import type { TokenSystem } from '../../import/token-table/from-token-table.ts'
import {
  authjsSystem,
  betterAuthSystem,
  type LuciaTokens,
  luciaSystem,
} from '../../import/token-table/systems.ts'
import { resolveTokenTable } from '../../import/token-table/token-table.ts'
import { TokenTableSource } from '../../import/token-table/token-table-source.ts'
import { type Duration, parseDuration } from '../../options/duration.ts'
import type { Driver } from '../../postgres/driver.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { Input } from '../input.ts'
import { printable } from '../plain-text.ts'
import { moveTables } from './move-tables.ts'
import type { OldSystem } from './old-system.ts'

const COLUMNS = ['token', 'user-id', 'expires-at', 'created-at', 'secret-hash'] as const

function tokenTable(
  systemOf: (input: Input) => TokenSystem,
  own: readonly string[] = [],
): OldSystem {
  return {
    ownOptions: ['table', 'columns', ...own],
    idleTimeout: '1d',
    move: moveTables({
      reach: (driver) => driver,
      open: (input, driver) => openTable(input, driver, systemOf(input)),
    }),
  }
}

export const betterAuth: OldSystem = tokenTable(() => betterAuthSystem())
export const authjs: OldSystem = tokenTable(() => authjsSystem)
export const lucia: OldSystem = tokenTable(readLucia, ['tokens', 'lifetime'])

function readLucia(input: Input): TokenSystem {
  const kind = input.text('tokens') ?? 'clear'
  if (!['clear', 'hashed', 'id-and-secret'].includes(kind)) {
    throw new ConfigurationError('--tokens must be clear, hashed or id-and-secret.')
  }
  const lifetime = input.text('lifetime')
  const milliseconds =
    lifetime === undefined ? undefined : parseDuration('--lifetime', lifetime as Duration)
  return luciaSystem(kind as LuciaTokens, milliseconds)
}

/** @throws {ConfigurationError} There is no such table; says what to write. */
async function openTable(input: Input, driver: Driver, system: TokenSystem): Promise<ImportSource> {
  const table = resolveTokenTable({
    system: system.name,
    table: input.text('table') ?? system.table,
    schema: input.text('table-schema'),
    columns: { ...system.columns, ...readColumns(input.text('columns')) },
    tokens: system.tokens,
    lifetime: system.lifetime,
  })
  const source = new TokenTableSource(table)
  try {
    const first = { after: null, rows: 1, bytes: 1 }
    await new StatementRunner(driver, input.timeout).ask(source.page, first)
  } catch (error) {
    const isOther = error instanceof StoreError && isOfOtherTypes(error)
    if (!isOther && !(error instanceof SchemaError)) throw error
    throw new ConfigurationError(
      `There is no table ${printable(table.shown)} with the columns of ${system.name}. Write --table, --table-schema, or --columns such as token=session_token,user-id=user_id,expires-at=expires.`,
    )
  }
  return source
}

/** Reads `token=session_token,user-id=user_id`. */
function readColumns(text: string | undefined): object {
  if (text === undefined) return {}
  const pairs = text.split(',').map((pair) => {
    const [column = '', name = '', ...rest] = pair.split('=')
    const known = COLUMNS.find((each) => each === column.trim())
    if (known === undefined || name.trim() === '' || rest.length > 0) {
      throw new ConfigurationError(
        `--columns takes pairs such as token=session_token, for ${COLUMNS.join(', ')}.`,
      )
    }
    const property = known.replace(/-(\w)/, (_, letter: string) => letter.toUpperCase())
    return [property, name.trim()]
  })
  return Object.fromEntries(pairs)
}
