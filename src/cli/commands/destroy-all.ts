import { readStatus } from '../../postgres/store-status.ts'
import { destroyAll } from '../../session/destroy-all.ts'
import type { Report } from '../command.ts'
import { confirm } from '../confirm.ts'
import { withStore } from '../connect.ts'
import type { Input } from '../input.ts'
import { countOf } from '../plain-text.ts'
import { ProgressMeter } from '../progress-meter.ts'
import { stoppable } from '../stoppable.ts'

/** Ends all sessions in batches, once a person or `--yes` has agreed. */
export async function destroyEverySession(input: Input): Promise<Report> {
  const batchSize = input.count('batch-size', 250, 100_000)
  return withStore(input, async (store, driver) => {
    const { live, expired } = await readStatus(driver, input.names, { timeout: input.timeout })
    const question = `End ${countOf(live, 'live session')} in schema '${input.names.raw.schema}'`
    if (!input.flag('yes') && !(await confirm(question))) {
      return { document: { ended: 0, complete: false }, lines: ['Nothing was ended.'], status: 1 }
    }
    const meter = new ProgressMeter()
    return stoppable(async (signal) => {
      const onProgress = (seen: number): void =>
        meter.tell(`ended ${countOf(seen, 'session')}`, { seen, total: live + expired })
      const ended = await destroyAll(store, { batchSize, onProgress, signal })
      const { seconds } = meter
      const complete = !signal.aborted
      const again = complete ? [] : ['Stopped before the end. Run it again to go on.']
      return {
        document: { ended, complete, seconds },
        lines: [`Ended ${countOf(ended, 'session')} in ${seconds} s.`, ...again],
        status: complete ? 0 : 1,
      }
    })
  })
}
