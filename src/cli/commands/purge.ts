import { readStatus } from '../../postgres/store-status.ts'
import { silentLogger } from '../../session/logger.ts'
import { purgeAll } from '../../session/purger.ts'
import { SessionEventHub } from '../../session/session-events.ts'
import type { Command } from '../command.ts'
import { withStore } from '../connect.ts'
import { databaseOptions } from '../option-table.ts'
import { countOf } from '../plain-text.ts'
import { ProgressMeter } from '../progress-meter.ts'
import { stoppable } from '../stoppable.ts'

export const purge: Command = {
  summary: 'Delete expired sessions, in batches, beside live traffic',
  args: {
    'batch-size': {
      type: 'string',
      description: 'Sessions to delete in one transaction (default: 250)',
      valueHint: 'number',
    },
    ...databaseOptions,
  },
  async run(input) {
    const batchSize = input.count('batch-size', 250, 100_000)
    const meter = new ProgressMeter()
    const { removed, isComplete } = await withStore(input, (store, driver) =>
      stoppable(async (signal) => {
        const { purgeBacklog: total } = await readStatus(driver, input.names, {
          timeout: input.timeout,
        })
        const onProgress = (seen: number): void =>
          meter.tell(`removed ${countOf(seen, 'session')}`, { seen, total })
        const events = new SessionEventHub(silentLogger)
        const removed = await purgeAll(store, events, { batchSize, onProgress, signal })
        return { removed, isComplete: !signal.aborted }
      }),
    )
    const { seconds } = meter
    const again = isComplete ? [] : ['Stopped before the end. Run it again to go on.']
    return {
      document: { removed, complete: isComplete, seconds },
      lines: [`Removed ${countOf(removed, 'expired session')} in ${seconds} s.`, ...again],
      status: isComplete ? 0 : 1,
    }
  },
}
