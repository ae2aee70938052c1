import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where a running demo writes its address, beside the data that it holds open. */
const fileIn = (dataDirectory: string): string => join(dataDirectory, 'demo.url')

/** Leaves the address for a second demo on the same data. */
export async function announceDemo(dataDirectory: string, url: string): Promise<void> {
  await writeFile(fileIn(dataDirectory), url)
}

export async function withdrawDemo(dataDirectory: string): Promise<void> {
  await rm(fileIn(dataDirectory), { force: true })
}

/** Returns the address of the demo that holds this data, or null if none answers. */
export async function findRunningDemo(dataDirectory: string): Promise<string | null> {
  const url = await readFile(fileIn(dataDirectory), 'utf8').catch(() => null)
  if (url === null) return null
  const answers = await fetch(url).then(
    (answer) => answer.ok,
    () => false,
  )
  return answers ? url : null
}
