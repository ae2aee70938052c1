import { join } from 'node:path'
import { type PackedPackage, packPackage, readManifest } from '../../scripts/pack-package.ts'
import { oncePerRun } from './once-per-run.ts'

/** The packed package, which is packed once in a run. */
export async function sharedPackage(): Promise<PackedPackage> {
  const folder = await oncePerRun('package', packPackage)
  const { name, version } = await readManifest()
  return {
    tarball: join(folder, `${name}-${version}.tgz`),
    folder: join(folder, 'package'),
  }
}
