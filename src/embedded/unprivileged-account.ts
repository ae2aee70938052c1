import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { EmbeddedPostgresError } from '../errors.ts'
import { type Account, runProgram } from './run-program.ts'

/** Survives a reboot on every common system, and every account may enter it. */
const OPEN_FOLDER = '/var/tmp'

/**
 * The account that the server has to run as: `undefined`, our own, unless we are root, whom
 * PostgreSQL refuses.
 *
 * A data folder that exists is served by its owner; a new one by an account that systems have
 * anyway, since `initdb` wants one with a name.
 *
 * @throws {EmbeddedPostgresError} We are root and the system has no such account.
 */
export async function accountForServer(
  existingData: string | undefined,
): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  if (existingData !== undefined) {
    const { uid, gid } = await stat(existingData)
    if (uid !== 0) return { uid, gid }
  }
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const account = await accountNamed(name)
    if (account !== undefined) return account
  }
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root, and this system has neither an account "postgres" nor "nobody" to run it as. Create one, run as another user, or use a server of your own.',
  )
}

async function accountNamed(name: string): Promise<Account | undefined> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => {
      const { status, output } = await runProgram('id', [flag, name], undefined)
      return status === 0 ? Number(output.trim()) : Number.NaN
    }),
  )
  return uid && gid ? { uid, gid } : undefined
}

/** Tells whether the account may pass through a folder, whatever modes and lists decide that. */
export async function canEnter(account: Account | undefined, folder: string): Promise<boolean> {
  if (account === undefined) return true
  const { status } = await runProgram('sh', ['-c', 'cd -- "$1"', 'sh', folder], account)
  return status === 0
}

/** The system's folder for temporary files, or another one when the account may not enter it. */
export async function temporaryFolder(account: Account | undefined): Promise<string> {
  return (await canEnter(account, tmpdir())) ? tmpdir() : OPEN_FOLDER
}

/** A folder for files that must outlive a reboot, where the account may enter. */
export function lastingFolder(): string {
  return OPEN_FOLDER
}
