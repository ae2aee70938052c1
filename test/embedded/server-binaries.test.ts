import { existsSync } from 'node:fs'
import {
  chmod,
  chown,
  copyFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { startEmbeddedPostgres } from 'pg-sessions/embedded-postgres'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findServerBinaries } from '../../src/embedded/find-server-binaries.ts'
import { privateCopy } from '../../src/embedded/private-copy.ts'
import { canEnter } from '../../src/embedded/unprivileged-account.ts'
import { startInOwnProcess, untilGone } from './processes.ts'

const isRoot = process.getuid?.() === 0

let folder: string
/** The binary package as npm leaves it where install scripts are off: without symbolic links. */
let binaries: string
/** Stands in for the system's temporary folder; long, and with blanks. */
let temporary: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-sessions test '))
  await chmod(folder, 0o755)
  binaries = join(folder, 'closed', 'node_modules', 'the package')
  await copyTree(findServerBinaries(), join(binaries, 'native'), link)
  await writeFile(join(binaries, 'package.json'), JSON.stringify({ name: folder }))
  temporary = join(folder, `a temporary folder with a long name ${'x'.repeat(100)}`)
  await mkdir(temporary)
  await chmod(temporary, 0o1777)
  vi.stubEnv('TMPDIR', temporary)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await chmod(join(binaries, 'native', 'lib'), 0o755)
  await rm(folder, { recursive: true, force: true })
})

/** Leaves out symbolic links. Whole files are many megabytes, so they are linked where that does. */
async function copyTree(
  from: string,
  to: string,
  copy: (from: string, to: string) => Promise<void>,
): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyTree(source, target, copy)
    else if (entry.isFile()) await copy(source, target).catch(() => copyFile(source, target))
  }
}

const closeCheckout = (): Promise<void> => chmod(join(folder, 'closed'), 0o700)

async function copies(): Promise<string[]> {
  return (await readdir(temporary)).filter((name) => name.includes('binaries'))
}

test('the links that install scripts would have made are made, and nothing is copied', async () => {
  await using server = await startEmbeddedPostgres({ binaries })
  expect(server.version).toMatch(/^\d+\.\d+$/)
  const links = JSON.parse(await readFile(join(binaries, 'native', 'pg-symlinks.json'), 'utf8'))
  for (const { target } of links as { target: string }[]) {
    expect((await lstat(join(binaries, target))).isSymbolicLink()).toBe(true)
  }
  expect(await copies()).toEqual([])
})

test('temporary data is all that is written, and nothing of it stays', async () => {
  await (await startEmbeddedPostgres({ binaries })).stop()
  await expect(
    startEmbeddedPostgres({ binaries, settings: { shared_buffers: 'plenty' } }),
  ).rejects.toThrow('did not start')
  expect(await readdir(temporary)).toEqual([])
})

test('as root, a checkout that others may not enter works, for many starts at once', async ({
  skip,
}) => {
  skip(!isRoot, 'runs only as root')
  await closeCheckout()
  const messages: string[] = []
  const servers = await Promise.all(
    [1, 2, 3].map(() =>
      startEmbeddedPostgres({ binaries, onProgress: (message) => messages.push(message) }),
    ),
  )
  await Promise.all(servers.map((server) => server.stop()))
  expect(await readdir(temporary)).toEqual(await copies())
  expect(await copies()).toHaveLength(1)
  expect(messages.some((message) => message.startsWith('Copying'))).toBe(true)

  messages.length = 0
  await using _again = await startEmbeddedPostgres({
    binaries,
    onProgress: (message) => messages.push(message),
  })
  expect(messages.some((message) => message.startsWith('Copying'))).toBe(false)
})

test('as root, data kept in a folder that others may not enter is there after a restart', async ({
  skip,
}) => {
  skip(!isRoot, 'runs only as root')
  await closeCheckout()
  const dataDirectory = join(folder, 'closed', 'data')
  const messages: string[] = []
  const first = await startEmbeddedPostgres({
    binaries,
    dataDirectory,
    onProgress: (message) => messages.push(message),
  })
  await first.stop()
  const second = await startEmbeddedPostgres({ binaries, dataDirectory, port: first.port })
  await second.stop()
  expect(second.url).toBe(first.url)
  const place = await realpath(join(dataDirectory, 'cluster'))
  expect(messages.join()).toContain(`The data lies in ${place}`)

  // After that place is deleted, the server starts empty.
  await rm(place, { recursive: true })
  const third = await startEmbeddedPostgres({ binaries, dataDirectory })
  await third.stop()
  expect(third.url).not.toBe(first.url)
  await rm(await realpath(join(dataDirectory, 'cluster')), { recursive: true })
})

test('files that only their owner can read are readable in the copy', async () => {
  const native = join(folder, 'strict', 'native')
  await copyTree(findServerBinaries(), native, copyFile)
  for (const entry of await readdir(native, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    await chmod(path, (await lstat(path)).mode & 0o700)
  }
  const copy = await privateCopy(native, undefined, () => {})
  for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const original = (await lstat(join(native, relative(copy, path)))).mode
    expect(((await lstat(path)).mode & 0o777).toString(8)).toBe(original & 0o100 ? '755' : '644')
  }
})

test('a copy is shared, but not one that lost files', async () => {
  const native = join(binaries, 'native')
  const copy = await privateCopy(native, undefined, () => {})
  expect(await privateCopy(native, undefined, () => {})).toBe(copy)
  await rm(join(copy, 'share', 'postgresql', 'postgres.bki'))
  const next = await privateCopy(native, undefined, () => {})
  expect(next).not.toBe(copy)
  expect(existsSync(join(next, 'share', 'postgresql', 'postgres.bki'))).toBe(true)
})

test('a copy that others could have changed is not used', async () => {
  const native = join(binaries, 'native')
  const copy = await privateCopy(native, undefined, () => {})
  await chmod(copy, 0o777)
  await expect(privateCopy(native, undefined, () => {})).rejects.toThrow('other users can change')
  await chmod(copy, 0o755)
  if (!isRoot) return
  await chown(copy, 65534, 65534)
  await expect(privateCopy(native, undefined, () => {})).rejects.toThrow('other users can change')
})

test('a package that this user may not write is copied and completed', async ({ skip }) => {
  const account = isRoot ? { uid: 65534, gid: 65534 } : undefined
  skip(!(await canEnter(account, import.meta.dirname)), 'another user may not enter this checkout')
  await chmod(join(binaries, 'native', 'lib'), 0o555)
  const owner = await startInOwnProcess({ binaries }, account)
  expect(await copies()).toHaveLength(1)
  owner.process.kill()
  await untilGone(owner.server.pid)
  await untilGone(owner.process.pid!)
})
