import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take longer than seven seconds, the longest first. They begin first, so that no worker is left alone with
 * one at the end; a file that is missing here costs a few seconds and nothing else.
 */
const LONGEST = [
  'test/embedded/embedded-postgres.test.ts',
  'test/drivers/postgres-js.test.ts',
  'test/demo/demo-in-browser.test.ts',
  'test/faults/message-sweep.test.ts',
  'test/drivers/pg.test.ts',
  'test/drivers/single-connection.test.ts',
  'test/embedded/server-binaries.test.ts',
  'test/compatibility/defects-of-connect-pg-simple.test.ts',
  'test/store/postgres-store-in-company.test.ts',
  'test/faults/cut-connections.test.ts',
  'test/faults/black-hole.test.ts',
  'test/cli/cli.test.ts',
  'test/documents/code-blocks.test.ts',
  'test/store/postgres-store-alone.test.ts',
  'test/leaks/no-secret-anywhere.test.ts',
  'test/package/installing.test.ts',
  'test/package/bundled.test.ts',
  'test/cli/import-wai.test.ts',
  'test/demo/demo-over-http.test.ts',
  'test/adapters/earlier-versions.test.ts',
  'test/store/postgres-store-over-drivers.test.ts',
  'test/drivers/whole-features.test.ts',
  'test/demo/admin-in-browser.test.ts',
  'test/cli/cli-failures.test.ts',
  'test/adapters/express-on-postgres.test.ts',
  'test/import/import-under-stress.test.ts',
  'test/cli/connecting.test.ts',
  'test/transactions/each-client.test.ts',
  'test/faults/stuck-migration.test.ts',
  'test/postgres/sql-state.test.ts',
  'test/compatibility/switch-over.test.ts',
  'test/faults/lost-replies.test.ts',
]

/** Begins with the long files, whatever vitest has noted of earlier runs: a fresh clone has no notes. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.indexOf(relative(this.ctx.config.root, moduleId))
      return place === -1 ? LONGEST.length : place
    }
    const sorted = await super.sort(files)
    return sorted.sort((one, other) => rank(one) - rank(other))
  }
}
