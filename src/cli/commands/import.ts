import { ConfigurationError } from '../../errors.ts'
import { importSessions } from '../../import/import-sessions.ts'
import { checkSchema } from '../../postgres/migrate.ts'
import { StatementRunner } from '../../postgres/statement-runner.ts'
import { type Duration, parseDuration } from '../../session/duration.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../connect.ts'
import { openConnectPgSimple } from '../import/connect-pg-simple.ts'
import { describeImport } from '../import/describe-import.ts'
import { ImportMeter } from '../import/import-meter.ts'
import { databaseOptions, type Input } from '../input.ts'

const SYSTEMS = { 'connect-pg-simple': openConnectPgSimple } as const

export const importCommand: Command = {
  summary: 'Move the live sessions of another system here, beside the traffic of both',
  args: {
    system: { type: 'positional', required: false, description: Object.keys(SYSTEMS).join(' or ') },
    table: {
      type: 'string',
      description: 'Table to move them from (default: session)',
      valueHint: 'name',
    },
    'table-schema': {
      type: 'string',
      description: 'Its database schema (default: as the search path finds it)',
      valueHint: 'name',
    },
    'time-zone': {
      type: 'string',
      description: "Zone of its times (default: the server's)",
      valueHint: 'zone',
    },
    'idle-timeout': {
      type: 'string',
      description: 'Lifetime of sessions whose cookie has none (default: 1d)',
      valueHint: 'duration',
    },
    'absolute-timeout': {
      type: 'string',
      description: 'How long they live at most from now on (default: none)',
      valueHint: 'duration',
    },
    'batch-size': {
      type: 'string',
      description: 'Sessions to move in one transaction (default: 250)',
      valueHint: 'number',
    },
    'dry-run': { type: 'boolean', description: 'Move nothing, and say what would be moved' },
    ...databaseOptions,
  },
  async run(input) {
    const openSource = systemOf(input)
    const options = {
      names: input.names,
      batchSize: input.count('batch-size', 250, 10_000),
      isRehearsal: input.flag('dry-run'),
      absoluteTimeout: duration(input, 'absolute-timeout') ?? Number.POSITIVE_INFINITY,
    }
    const idleTimeout = duration(input, 'idle-timeout') ?? parseDuration('idle-timeout', '1d')
    return withDatabase(input, async (driver) => {
      await checkSchema(driver, options.names, { timeout: input.timeout })
      const source = await openSource(input, driver, idleTimeout)
      const runner = new StatementRunner(driver, input.timeout)
      const meter = new ImportMeter()
      const { signal, onProgress } = meter
      const work = { ...options, runner, source, signal, onProgress }
      const report = await stoppable(meter, () => importSessions(work))
      return describeImport(source, report, {
        seconds: meter.seconds,
        isRehearsal: options.isRehearsal,
      })
    })
  },
}

/** Lets Ctrl+C end an import after the batch under way. */
async function stoppable<Result>(meter: ImportMeter, run: () => Promise<Result>): Promise<Result> {
  const stop = (): void => meter.stop()
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, stop)
  try {
    return await run()
  } finally {
    for (const signal of signals) process.removeListener(signal, stop)
  }
}

function systemOf(input: Input): (typeof SYSTEMS)[keyof typeof SYSTEMS] {
  const name = input.text('system')
  const system = Object.entries(SYSTEMS).find(([each]) => each === name)?.[1]
  if (system !== undefined) return system
  throw new ConfigurationError(
    `Whose sessions to move is not clear. Write ${Object.keys(SYSTEMS).join(' or ')} after import.`,
  )
}

function duration(input: Input, name: string): number | undefined {
  const text = input.text(name)
  return text === undefined ? undefined : parseDuration(`--${name}`, text as Duration)
}
