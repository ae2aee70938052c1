import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PackedPackage, packPackage, readManifest } from '../../scripts/pack-package.ts'

/** Where the workers of one run keep the packed package. */
function folderOf(runner: number): string {
  return join(tmpdir(), `pg-sessions-packed-${runner}`)
}

/** The packed package. The first worker of a run that asks packs it, and the others wait for that. */
export async function sharedPackage(): Promise<PackedPackage> {
  const folder = folderOf(process.ppid)
  const { name, version } = await readManifest()
  const packed = {
    tarball: join(folder, `${name}-${version}.tgz`),
    folder: join(folder, 'package'),
  }
  const [done, failed] = [join(folder, 'done'), join(folder, 'failed')]
  const isFirst = await mkdir(folder).then(
    () => true,
    () => false,
  )
  if (isFirst) {
    const end = await packPackage(folder).then(
      () => done,
      (error: unknown) => {
        console.error(error)
        return failed
      },
    )
    await writeFile(end, '')
  }
  while (!existsSync(done)) {
    if (existsSync(failed))
      throw new Error('The package could not be packed: see the output above.')
    await sleep(100)
  }
  return packed
}

/** Removes what {@link sharedPackage} made for the workers of this process. */
export async function removeSharedPackage(): Promise<void> {
  await rm(folderOf(process.pid), { recursive: true, force: true })
}
