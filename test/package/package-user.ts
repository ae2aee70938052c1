import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installPackage, type PackedPackage } from '../../scripts/pack-package.ts'

/** Makes a new folder where the packed package is installed, beside `others` and these files. */
export async function createPackageUser(
  packed: PackedPackage,
  folder: string,
  files: Readonly<Record<string, string>>,
  others: readonly string[] = [],
): Promise<string> {
  await mkdir(folder)
  await installPackage(packed, folder, others)
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
  return folder
}
