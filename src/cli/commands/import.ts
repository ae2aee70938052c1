import { ConfigurationError } from '../../errors.ts'
import type { ImportProgress } from '../../import/import-sessions.ts'
import { type Duration, parseDuration } from '../../options/duration.ts'
import type { Driver } from '../../postgres/driver.ts'
import { checkSchema } from '../../postgres/migrate.ts'
import { readValues } from '../../postgres/operations/stored-values.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import type { TableNames } from '../../postgres/table-names.ts'
import { sealedPart } from '../../store/sealed-value.ts'
import type { SealMoved } from '../../store/session-store.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../connect.ts'
import { connectPgSimple } from '../import/connect-pg-simple.ts'
import { describeImport } from '../import/describe-import.ts'
import type { OldSystem } from '../import/old-system.ts'
import { redis } from '../import/redis.ts'
import { authjs, betterAuth, lucia } from '../import/token-table.ts'
import { waiSessionPostgresql } from '../import/wai-session-postgresql.ts'
import type { Input } from '../input.ts'
import { databaseOptions } from '../option-table.ts'
import { countOf } from '../plain-text.ts'
import { ProgressMeter } from '../progress-meter.ts'
import { readSealKeys, SEAL_KEYS_ADVICE, sealingOf } from '../seal-keys.ts'
import { stoppable } from '../stoppable.ts'

const SYSTEMS: Readonly<Record<string, OldSystem>> = {
  'connect-pg-simple': connectPgSimple,
  redis,
  'better-auth': betterAuth,
  authjs,
  lucia,
  wai: waiSessionPostgresql,
}

const SYSTEM_NAMES = 'connect-pg-simple, redis, better-auth, authjs, lucia or wai'

export const importCommand: Command = {
  summary:
    'Move live sessions of another system here, beside live traffic (wai after stopping its service)',
  args: {
    system: { type: 'positional', description: SYSTEM_NAMES },
    table: {
      type: 'string',
      description:
        'Table to move from, except redis and wai (default: the name that the system uses)',
      valueHint: 'name',
    },
    'table-schema': {
      type: 'string',
      description: 'Its database schema (default: as the search path finds it; wai: public)',
      valueHint: 'name',
    },
    'time-zone': {
      type: 'string',
      description: "connect-pg-simple: time zone of its timestamps (default: the server's)",
      valueHint: 'zone',
    },
    columns: {
      type: 'string',
      description:
        'better-auth, authjs, lucia: names of columns, such as token=session_token,user-id=user_id',
      valueHint: 'pairs',
    },
    tokens: {
      type: 'string',
      description: 'lucia: what the table holds of a token: clear, hashed or id-and-secret',
      valueHint: 'kind',
    },
    lifetime: {
      type: 'string',
      description: 'lucia: lifetime from the creation, if no column holds the end of a session',
      valueHint: 'duration',
    },
    'redis-url': {
      type: 'string',
      description: 'redis: its URL (default: $REDIS_URL, then redis://localhost:6379)',
      valueHint: 'url',
    },
    prefix: {
      type: 'string',
      description: 'redis: prefix of the session keys (default: sess:)',
      valueHint: 'text',
    },
    map: {
      type: 'string',
      description: 'wai: module that maps keys and values (default: strings)',
      valueHint: 'file',
    },
    'drop-undecodable': {
      type: 'boolean',
      description: 'wai: drop entries of other types instead of skipping their sessions',
    },
    'idle-timeout': {
      type: 'string',
      description: 'Lifetime of sessions that have none of their own (default: 1d; wai: 1h)',
      valueHint: 'duration',
    },
    'absolute-timeout': {
      type: 'string',
      description: 'Absolute timeout from now on (default: none)',
      valueHint: 'duration',
    },
    'batch-size': {
      type: 'string',
      description: 'Sessions to move in one transaction (default: 250)',
      valueHint: 'number',
    },
    'dry-run': { type: 'boolean', description: 'Move nothing; report what would be moved' },
    ...databaseOptions,
  },
  async run(input) {
    const system = systemOf(input)
    const options = {
      names: input.names,
      batchSize: input.count('batch-size', 250, 10_000),
      dryRun: input.flag('dry-run'),
      absoluteTimeout: duration(input, 'absolute-timeout') ?? Number.POSITIVE_INFINITY,
    }
    const idleTimeout =
      duration(input, 'idle-timeout') ?? parseDuration('--idle-timeout', system.idleTimeout)
    const keys = readSealKeys({ acceptsUnsealed: false })
    const sealing = keys && sealingOf(keys)
    const seal: SealMoved | undefined =
      sealing && ((id, entries, deadline) => sealing.sealAll(id, entries, deadline))
    return withDatabase(input, async (driver) => {
      await checkSchema(driver, options.names, { timeout: input.timeout })
      if (seal === undefined) await refuseUnsealed(driver, options.names, input.timeout)
      const meter = new ProgressMeter()
      const onProgress = (progress: ImportProgress): void =>
        meter.tell(`moved ${countOf(progress.moved, 'session')}`, progress)
      const { name, report } = await stoppable((signal) =>
        system.move(input, { ...options, driver, idleTimeout, seal, signal, onProgress }),
      )
      return describeImport(name, report, {
        seconds: meter.seconds,
        dryRun: options.dryRun,
      })
    })
  },
}

/**
 * Refuses to store values in clear beside encrypted ones, which would count as absent.
 *
 * @throws {ConfigurationError} The first values of the table are encrypted, and no key is given.
 */
async function refuseUnsealed(driver: Driver, names: TableNames, timeout: number): Promise<void> {
  const runner = new StatementRunner(driver, timeout)
  const sample = { after: null, limit: 100, bytes: 1_000_000 }
  const values = await runner.ask(readValues(names), sample)
  if (values.every(({ value }) => sealedPart(value) === null)) return
  throw new ConfigurationError(
    `Values of these sessions are encrypted, and what is imported would not be. Give the keys by ${SEAL_KEYS_ADVICE}.`,
  )
}

function systemOf(input: Input): OldSystem {
  const name = input.text('system')
  const system = Object.entries(SYSTEMS).find(([each]) => each === name)?.[1]
  if (system === undefined) {
    throw new ConfigurationError(
      `Name the system to import from: write ${SYSTEM_NAMES} after import.`,
    )
  }
  const wrong = Object.values(SYSTEMS)
    .flatMap(({ ownOptions }) => ownOptions)
    .find((option) => !system.ownOptions.includes(option) && input.has(option))
  if (wrong === undefined) return system
  throw new ConfigurationError(`--${wrong} is not an option of \`import ${name}\`. Leave it out.`)
}

function duration(input: Input, name: string): number | undefined {
  const text = input.text(name)
  return text === undefined ? undefined : parseDuration(`--${name}`, text as Duration)
}
