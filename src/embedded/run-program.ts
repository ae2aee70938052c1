import { spawn } from 'node:child_process'

/** The numbers of the account that a program runs as. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/** How a program ended. */
export interface ProgramResult {
  /** `undefined` when it could not be started, or was killed by a signal. */
  readonly status: number | undefined
  /** Standard output and standard error, in the order they came. */
  readonly output: string
}

/**
 * The environment of the server's programs: nothing of ours, since it may hold secrets and the
 * server may run under an account that others share; and no locale, so that messages are English.
 */
export const programEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

/**
 * Runs a program to its end, as `account` when one is given; a program that cannot start is a
 * result too, never a rejection.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  account: Account | undefined,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const program = spawn(file, args, {
      ...account,
      // The caller's folder may be closed to the account, and initdb insists on knowing where it is.
      cwd: '/',
      env: programEnvironment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [program.stdout, program.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    program.once('error', (error) => resolve({ status: undefined, output: error.message }))
    program.once('close', (status) => resolve({ status: status ?? undefined, output }))
  })
}
