import { randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedPostgresError } from '../errors.ts'
import { type Account, runProgram } from './run-program.ts'
import { canEnter, lastingFolder, temporaryFolder } from './unprivileged-account.ts'
import type { ServerBinaries } from './usable-binaries.ts'

/**
 * What a server keeps: PostgreSQL's own files, which belong to the account that serves them, and
 * the superuser's password, so that the connection string stays the same over restarts.
 */
export interface Cluster {
  /** PostgreSQL's data folder. */
  readonly data: string
  readonly password: string
}

/** The cluster's name in a data directory: a folder, or a link to one elsewhere. */
const CLUSTER = 'cluster'

/**
 * The folder of the cluster that a data directory keeps, if it keeps one.
 *
 * @throws {EmbeddedPostgresError} The directory is the data folder of another PostgreSQL.
 */
export async function findCluster(directory: string): Promise<string | undefined> {
  const names = await readdir(directory).catch((): string[] => [])
  if (names.includes('PG_VERSION')) {
    throw new EmbeddedPostgresError(
      `${directory} is the data folder of a PostgreSQL that was not set up here. Name another folder.`,
    )
  }
  if (!names.includes(CLUSTER)) return undefined
  const place = await realpath(join(directory, CLUSTER)).catch(() => undefined)
  // A link to a folder that was deleted.
  if (place === undefined) await rm(join(directory, CLUSTER), { force: true })
  return place
}

/**
 * Reads what `createCluster` wrote.
 *
 * @throws {EmbeddedPostgresError} It is of another major version, or belongs to another user.
 */
export async function openCluster(folder: string, version: string): Promise<Cluster> {
  const data = join(folder, 'data')
  try {
    const [password, major] = await Promise.all([
      readFile(join(folder, 'password'), 'utf8'),
      readFile(join(data, 'PG_VERSION'), 'utf8'),
    ])
    if (major.trim() === version.split('.')[0]) return { data, password }
    throw new EmbeddedPostgresError(
      `${folder} holds data of PostgreSQL ${major.trim()}, but the server is PostgreSQL ${version}. Use that version, or remove the folder.`,
    )
  } catch (cause) {
    if (cause instanceof EmbeddedPostgresError) throw cause
    throw new EmbeddedPostgresError(
      `The data in ${folder} cannot be read. It may belong to another user; remove it or name another folder.`,
      { cause },
    )
  }
}

/** Creates an empty folder that the account may pass through and other users cannot list. */
export async function makeTemporaryDirectory(account: Account | undefined): Promise<string> {
  return newFolder(await temporaryFolder(account), 'pg-sessions-', account)
}

/**
 * Sets up an empty cluster in a data directory, and says where it lies.
 *
 * It appears there complete or not at all; of several processes that do this at once, the first
 * wins and all use its cluster. Where the account may not enter the directory, the files lie in a
 * lasting folder elsewhere and the directory holds a link to them.
 *
 * @param temporary - Leaves out what only makes data survive a crash of the machine.
 * @throws {EmbeddedPostgresError} `initdb` failed; the message holds what it said.
 */
export async function createCluster(
  directory: string,
  binaries: ServerBinaries,
  account: Account | undefined,
  temporary: boolean,
  onProgress: (message: string) => void,
): Promise<string> {
  onProgress(`Setting up an empty PostgreSQL ${binaries.version}`)
  await mkdir(directory, { recursive: true, mode: account === undefined ? 0o700 : 0o711 })
  const inside = await canEnter(account, directory)
  const draft = inside
    ? await newFolder(directory, 'new-', account)
    : await newFolder(lastingFolder(), 'pg-sessions-data-', account)
  try {
    await initialize(draft, binaries, account, temporary)
    const place = join(directory, CLUSTER)
    await (inside ? rename(draft, place) : symlink(draft, place))
    if (!inside) onProgress(`The data lies in ${draft}, for the server may not enter ${directory}`)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (!isAlreadyThere(error)) throw error
  }
  return realpath(join(directory, CLUSTER))
}

/** @see https://www.postgresql.org/docs/current/app-initdb.html */
async function initialize(
  folder: string,
  binaries: ServerBinaries,
  account: Account | undefined,
  temporary: boolean,
): Promise<void> {
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  await mkdir(data, { mode: 0o700 })
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
  if (account !== undefined) {
    await chown(data, account.uid, account.gid)
    await chown(passwordFile, account.uid, account.gid)
  }
  const { status, output } = await runProgram(
    binaries.initdb,
    [
      ...['--pgdata', data, '--username', 'postgres', '--pwfile', passwordFile],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
      ...(temporary ? ['--no-sync'] : []),
    ],
    account,
  )
  if (status !== 0) {
    throw new EmbeddedPostgresError(
      `PostgreSQL's data folder could not be set up: ${output.trim()}`,
    )
  }
}

async function newFolder(
  parent: string,
  prefix: string,
  account: Account | undefined,
): Promise<string> {
  const folder = await mkdtemp(join(parent, prefix))
  if (account !== undefined) await chmod(folder, 0o711)
  return folder
}

function isAlreadyThere(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'EEXIST' || code === 'ENOTEMPTY'
}
