import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where the workers of one run keep what they share. */
function folderOf(runner: number): string {
  return join(tmpdir(), `pg-sessions-run-${runner}`)
}

/**
 * Makes files that all workers of a run share. The first worker that asks makes them, and the others wait for that.
 *
 * @returns Their folder.
 */
export async function oncePerRun(
  name: string,
  make: (folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = join(folderOf(process.ppid), name)
  const [done, failed] = [join(folder, 'done'), join(folder, 'failed')]
  await mkdir(folderOf(process.ppid), { recursive: true })
  const isFirst = await mkdir(folder).then(
    () => true,
    () => false,
  )
  if (isFirst) {
    const end = await make(folder).then(
      () => done,
      (error: unknown) => {
        console.error(error)
        return failed
      },
    )
    await writeFile(end, '')
  }
  while (!existsSync(done)) {
    if (existsSync(failed)) throw new Error(`Making ${name} failed: see the output above.`)
    await sleep(100)
  }
  return folder
}

/** Removes everything that {@link oncePerRun} made for the workers of this process. */
export async function removeFilesOfRun(): Promise<void> {
  await rm(folderOf(process.pid), { recursive: true, force: true })
}
