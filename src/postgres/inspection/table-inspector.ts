import type { CallOptions } from '../../store/deadline.ts'
import type { SessionFigures, StoreInspector } from '../../store/store-inspector.ts'
import { isUuid } from '../parameter-types.ts'
import type { TableAccess } from '../table-access.ts'
import type { TableNames } from '../table-names.ts'
import {
  inspectEntries,
  inspectKeys,
  inspectLabel,
  inspectNewest,
  inspectSession,
  inspectTag,
  inspectUser,
} from './inspect-sessions.ts'
import { type MeasuredTable, readPurgeFigures, readTableFigures } from './read-table-figures.ts'
import { SAMPLED_BLOCKS, sampleSessions } from './sample-sessions.ts'
import { scaleSample } from './scale-sample.ts'

/** Looks at the tables of sessions for an operator. */
export function tableInspector(names: TableNames, tables: TableAccess): StoreInspector {
  const tableFigures = readTableFigures(names)
  const purgeFigures = readPurgeFigures(names)
  const sample = sampleSessions(names)
  const newest = inspectNewest(names)
  const ofUser = inspectUser(names)
  const withTag = inspectTag(names)
  const withLabel = inspectLabel(names)
  const session = inspectSession(names)
  const keys = inspectKeys(names)
  const entries = inspectEntries(names)

  async function sessionFigures(
    { blocks, estimatedRows }: MeasuredTable,
    options: CallOptions,
  ): Promise<SessionFigures> {
    const percent = Math.min(100, (100 * SAMPLED_BLOCKS) / Math.max(blocks, 1))
    const counts = await tables.ask(sample, { percent }, options)
    return scaleSample(counts, { percent, estimatedRows })
  }

  return {
    // One after the other, so that a page for an operator takes one connection from those of users.
    async figures(options) {
      const call = { deadline: options?.deadline ?? tables.runner.begin() }
      const measured = await tables.ask(tableFigures, undefined, call)
      const { time, ...purge } = await tables.ask(purgeFigures, undefined, call)
      const [sessionTable] = measured
      const isSampled = sessionTable !== undefined && names.isDistributed !== true
      const sessions = isSampled ? await sessionFigures(sessionTable, call) : null
      return {
        sessions,
        tables: measured.map(({ blocks, estimatedRows, ...table }) => table),
        purge,
        time,
      }
    },
    async newest(page, options) {
      if (page.before !== null && !isUuid(page.before)) return []
      return tables.ask(newest, page, options)
    },
    ofUser: (search, options) => tables.ask(ofUser, search, options),
    withTag: (search, options) => tables.ask(withTag, search, options),
    withLabel: (search, options) => tables.ask(withLabel, search, options),
    async session(id, options) {
      return isUuid(id) ? tables.ask(session, id, options) : null
    },
    async keys(search, options) {
      return isUuid(search.id) ? tables.ask(keys, search, options) : []
    },
    async entries(search, options) {
      return isUuid(search.id) ? tables.ask(entries, search, options) : []
    },
  }
}
