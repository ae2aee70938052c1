import { silentLogger } from '../../session/logger.ts'
import { purgeAll } from '../../session/purger.ts'
import { SessionEventHub } from '../../session/session-events.ts'
import type { Command } from '../command.ts'
import { withStore } from '../connect.ts'
import { databaseOptions } from '../input.ts'
import { countOf } from '../plain-text.ts'

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
    const startedAt = performance.now()
    const onProgress = (removed: number): void => {
      const rate = Math.round(removed / Math.max(secondsSince(startedAt), 0.001))
      process.stderr.write(`removed ${removed} so far, ${rate} a second\n`)
    }
    const removed = await withStore(input, (store) =>
      purgeAll(store, new SessionEventHub(silentLogger), { batchSize, onProgress }),
    )
    const seconds = secondsSince(startedAt)
    return {
      document: { removed, seconds },
      lines: [`Removed ${countOf(removed, 'expired session')} in ${seconds} s.`],
    }
  },
}

function secondsSince(startedAt: number): number {
  return Number(((performance.now() - startedAt) / 1000).toFixed(3))
}
