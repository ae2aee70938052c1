import { openAsBlob } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { oncePerRun } from './once-per-run.ts'

/**
 * Opens an empty PGlite from the files of one that was set up once in this run: setting up takes five times as
 * long as loading.
 */
export async function openPglite(options: PGliteOptions = {}): Promise<PGlite> {
  const loadDataDir = await openAsBlob(await emptyDatabase())
  return PGlite.create({ ...options, loadDataDir })
}

async function emptyDatabase(): Promise<string> {
  const name = 'empty.tar'
  const folder = await oncePerRun('pglite', async (folder) => {
    const db = await PGlite.create()
    const files = await db.dumpDataDir('none')
    await db.close()
    await writeFile(join(folder, name), new Uint8Array(await files.arrayBuffer()))
  })
  return join(folder, name)
}
