/**
 * Puts the figures of the results that are kept into `docs/performance.md`: those of the standard run, and
 * in their place those of runs of some sections, and of the full run, where there are any.
 *
 *     npm run bench -- --page
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillPage } from './report/page.ts'
import type { Result } from './report/result.ts'

const PAGE = join(import.meta.dirname, '..', 'docs', 'performance.md')
const KEPT = [
  'standard',
  'standard-only-store-http',
  'full',
  'full-only-growth-memory',
  'full-only-growth',
  'standard-only-waiting',
]

export function writePage(resultsFolder: string): void {
  const files = KEPT.map((name) => join(resultsFolder, `${name}.json`)).filter(existsSync)
  const [first, ...others] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Result)
  if (first === undefined) throw new Error('There are no results yet: npm run bench')
  writeFileSync(PAGE, fillPage(readFileSync(PAGE, 'utf8'), [first, ...others]))
}
