import type { SessionStore } from '../../store/session-store.ts'
import type { Command } from '../command.ts'
import { withStore } from '../connect.ts'
import { databaseOptions } from '../input.ts'
import { countOf } from '../plain-text.ts'

export const purge: Command = {
  summary: 'Delete expired sessions, in batches, beside live traffic',
  args: {
    'batch-size': {
      type: 'string',
      description: 'Sessions to delete in one transaction (default: 1000)',
      valueHint: 'number',
    },
    ...databaseOptions,
  },
  async run(input) {
    const batchSize = input.count('batch-size', 1000, 100_000)
    const startedAt = performance.now()
    const removed = await withStore(input, (store) => purgeAll(store, batchSize, startedAt))
    const seconds = secondsSince(startedAt)
    return {
      document: { removed, seconds },
      lines: [`Removed ${countOf(removed, 'expired session')} in ${seconds} s.`],
    }
  },
}

async function purgeAll(
  store: SessionStore,
  batchSize: number,
  startedAt: number,
): Promise<number> {
  let removed = 0
  for (;;) {
    const batch = await store.purge(batchSize)
    removed += batch
    if (batch < batchSize) return removed
    const rate = Math.round(removed / Math.max(secondsSince(startedAt), 0.001))
    process.stderr.write(`removed ${removed} so far, ${rate} a second\n`)
  }
}

function secondsSince(startedAt: number): number {
  return Number(((performance.now() - startedAt) / 1000).toFixed(3))
}
