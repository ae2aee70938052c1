import { SchemaError, StoreError } from '../../errors.ts'
import type { Driver } from '../driver.ts'
import { checkSchema } from '../migrate.ts'
import { check } from '../operations/check.ts'
import { StatementRunner } from '../statement-runner.ts'
import type { TableNames } from '../table-names.ts'
import type { Finding } from './finding.ts'
import { oddityFindings } from './oddity-findings.ts'
import { readOddities } from './read-oddities.ts'
import { readPurge, readServer } from './read-server.ts'
import { readForeignKeys, readIndexes, readTables, readTriggers } from './read-tables.ts'
import { serverFindings } from './server-findings.ts'
import { tableFindings } from './table-findings.ts'

const ORDER: Record<Finding['severity'], number> = { error: 0, warning: 1, note: 2 }

/**
 * Looks for what keeps sessions from working well: the tables, the rights, the server. It writes nothing, and
 * reads the catalog and the statistics; of the tables only the end of one index.
 *
 * @returns What it found, the worst first; empty if all is well.
 * @throws {StoreUnavailableError} The database cannot be reached or did not answer in time.
 */
export async function diagnose(
  driver: Driver,
  names: TableNames,
  { timeout }: { readonly timeout: number },
): Promise<readonly Finding[]> {
  const runner = new StatementRunner(driver, timeout)
  const server = await runner.ask(readServer, undefined)
  const schema = await schemaFinding(driver, names, timeout)
  // Without the tables there is nothing else to look at.
  if (schema !== null) {
    return inOrder([schema, ...serverFindings(server, { overdue: 0 }, Date.now())])
  }
  const state = await runner.ask(check(names), undefined)
  const mayRead = !state.missingRights.some((right) => right.startsWith('SELECT'))
  const purge = mayRead ? await runner.ask(readPurge(names), undefined) : { overdue: 0 }
  const facts = {
    tables: await runner.ask(readTables, names),
    indexes: await runner.ask(readIndexes, names),
    triggers: await runner.ask(readTriggers, names),
    foreignKeys: await runner.ask(readForeignKeys, names),
  }
  const oddities = await runner.ask(readOddities, names)
  return inOrder([
    ...rightsFinding(state.missingRights),
    ...readOnlyFinding(state.isReadOnly),
    ...tableFindings(names, facts),
    ...oddityFindings(oddities),
    ...serverFindings(server, purge, Date.now()),
  ])
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => ORDER[a.severity] - ORDER[b.severity])
}

/** What the application would say at its start, when it lacks a right on the tables included. */
async function schemaFinding(
  driver: Driver,
  names: TableNames,
  timeout: number,
): Promise<Finding | null> {
  try {
    await checkSchema(driver, names, { timeout })
    return null
  } catch (error) {
    if (!(error instanceof SchemaError || error instanceof StoreError)) throw error
    return {
      code: error.code,
      severity: 'error',
      what: error.message,
      effect: 'No session can be used: requests that need one fail with 500.',
      remedy:
        'Do what the message says, or run npx pg-sessions migrate; npx pg-sessions sql prints the rights to grant.',
    }
  }
}

function rightsFinding(missing: readonly string[]): Finding[] {
  if (missing.length === 0) return []
  return [
    {
      code: 'missing-rights',
      severity: 'error',
      what: `This role lacks ${missing.join(', ')}.`,
      effect: 'Requests that need them fail with 500.',
      remedy: 'Grant them: the end of npx pg-sessions sql has the statements.',
    },
  ]
}

function readOnlyFinding(isReadOnly: boolean): Finding[] {
  if (!isReadOnly) return []
  return [
    {
      code: 'read-only',
      severity: 'error',
      what: 'The server takes no writes: it is a standby, or default_transaction_read_only is on.',
      effect: 'Sessions can be read, but no user can sign in or out.',
      remedy: 'Connect to the primary, for instance with target_session_attrs=read-write.',
    },
  ]
}
