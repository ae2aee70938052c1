import type { ImportReport } from '../../import/import-tally.ts'
import type { Report } from '../command.ts'
import { countOf } from '../plain-text.ts'

/** Says what an import did and what it left, and why. It failed when another run would do more. */
export function describeImport(
  name: string,
  report: ImportReport,
  { seconds, dryRun }: { readonly seconds: number; readonly dryRun: boolean },
): Report {
  const { isComplete, moved, ...left } = report
  const verb = dryRun ? 'Would move' : 'Moved'
  const again = isComplete ? [] : ['Stopped before the end. Run it again to go on.']
  return {
    document: {
      system: name,
      dryRun: dryRun,
      complete: isComplete,
      moved,
      left,
      seconds,
    },
    lines: [
      `${verb} ${countOf(moved, 'session')} of ${name} in ${seconds} s.`,
      ...leftLines(report),
      ...again,
    ],
    status: isComplete && report.busy === 0 ? 0 : 1,
  }
}

function leftLines({ expired, known, busy, unreadable }: ImportReport): string[] {
  const kinds: [number, string][] = [
    [expired, 'whose deadline has passed'],
    [known, 'written there after the session had moved; the one here goes on, or has ended'],
    [busy, 'in use all the time; run it again'],
    ...unreadable.map(({ problem, count, ids }): [number, string] => [
      count,
      `that cannot be a session here: ${problem}${ids.length === 0 ? '' : ` (would be ${ids.join(', ')})`}`,
    ]),
  ]
  return kinds
    .filter(([count]) => count > 0)
    .map(([count, why]) => `Left ${countOf(count, 'row')} ${why}.`)
}
