import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { EmbeddedPostgresOptions } from 'pg-sessions/embedded-postgres'
import { expect } from 'vitest'
import { bundledProgram } from '../support/bundled-program.ts'

/** Tells whether a process of this number exists, of any user. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Waits until the process is gone. */
export async function untilGone(pid: number): Promise<void> {
  await expect.poll(() => isRunning(pid), { timeout: 15_000 }).toBe(false)
}

/** A Node process of its own that has started a server. */
export interface Owner {
  readonly process: ChildProcess
  readonly server: { readonly url: string; readonly pid: number; readonly dataDirectory: string }
}

/** Starts a server in a Node process of its own, so that the process can be killed. */
export async function startInOwnProcess(
  options: EmbeddedPostgresOptions,
  account: { uid?: number; gid?: number } = {},
): Promise<Owner> {
  const owner = spawn(process.execPath, [await bundledProgram('test/embedded/owner.ts')], {
    ...account,
    env: { ...process.env, OPTIONS: JSON.stringify(options) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  owner.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  owner.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  while (!output.includes('\n')) {
    const news = await Promise.race([once(owner.stdout, 'data'), once(owner, 'close')])
    if (owner.exitCode !== null && !output.includes('\n')) {
      throw new Error(`The owner ended (${String(news)}): ${errors}`)
    }
  }
  return { process: owner, server: JSON.parse(output) as Owner['server'] }
}
