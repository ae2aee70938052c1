import { ConfigurationError } from '../../errors.ts'
import { readStatus } from '../../postgres/store-status.ts'
import { type ResealReport, reseal as resealValues } from '../../sealing/reseal.ts'
import type { Command } from '../command.ts'
import { withStore } from '../connect.ts'
import { databaseOptions } from '../option-table.ts'
import { countOf } from '../plain-text.ts'
import { ProgressMeter } from '../progress-meter.ts'
import { readSealKeys, SEAL_KEYS_ADVICE, sealingOf } from '../seal-keys.ts'
import { stoppable } from '../stoppable.ts'

export const reseal: Command = {
  summary: 'Encrypt stored values with the current seal key, in batches, beside live traffic',
  args: {
    'accept-unsealed': {
      type: 'boolean',
      description: 'Encrypt values that are not encrypted yet, as when seal is first set',
    },
    'batch-size': {
      type: 'string',
      description: 'Values to encrypt in one transaction (default: 250)',
      valueHint: 'number',
    },
    ...databaseOptions,
  },
  async run(input) {
    const batchSize = input.count('batch-size', 250, 100_000)
    const seal = readSealKeys({ acceptsUnsealed: input.flag('accept-unsealed') })
    if (seal === undefined) throw new ConfigurationError(`The keys come from ${SEAL_KEYS_ADVICE}.`)
    const meter = new ProgressMeter()
    const report = await withStore(input, (store, driver) =>
      stoppable(async (signal) => {
        const { live, expired } = await readStatus(driver, input.names, { timeout: input.timeout })
        return resealValues(store, sealingOf(seal), {
          batchSize,
          signal,
          onProgress: ({ resealed, sessions: seen }) =>
            meter.tell(`encrypted ${countOf(resealed, 'value')}`, { seen, total: live + expired }),
        })
      }),
    )
    const { isComplete, ...counts } = report
    return {
      document: { ...counts, complete: isComplete, seconds: meter.seconds },
      lines: linesOf(report, meter.seconds),
      status: isComplete && report.failed === 0 ? 0 : 1,
    }
  },
}

function linesOf(
  { seen, resealed, changed, failed, isComplete }: ResealReport,
  seconds: number,
): string[] {
  const lines = [
    `Encrypted ${countOf(resealed, 'value')} of ${countOf(seen, 'value')} in ${seconds} s.`,
  ]
  if (changed > 0) {
    lines.push(`${countOf(changed, 'value')} changed meanwhile and stayed as a request wrote them.`)
  }
  if (failed > 0) {
    lines.push(
      `${countOf(failed, 'value')} did not open and stayed as they were: another key, or not encrypted (see --accept-unsealed).`,
    )
  }
  if (!isComplete) lines.push('Stopped before the end. Run it again to go on.')
  return lines
}
