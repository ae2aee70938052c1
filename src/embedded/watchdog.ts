import { type ChildProcess, spawn } from 'node:child_process'
import { programEnvironment } from './run-program.ts'

/** Stops a server when this process is gone, however it went. */
export interface Watchdog {
  /** The server has ended by our own hand. */
  dismiss(): void
}

/**
 * Waits at a pipe whose other end we hold: the system closes it even when we are killed. A line on
 * it means that there is nothing left to do.
 */
const SCRIPT = `
read -r _ && exit
kill -INT "$1"
tries=0
while [ $tries -lt 100 ] && kill -0 "$1"; do
  sleep 0.1
  tries=$((tries + 1))
done
kill -KILL "$1"
[ -z "$2" ] || rm -rf -- "$2"
`

/** @param temporaryDirectory - Removed after the server. */
export function watchOver(server: ChildProcess, temporaryDirectory: string | undefined): Watchdog {
  if (server.pid === undefined) return { dismiss() {} }
  const watchdog = spawn(
    'sh',
    ['-c', SCRIPT, 'pg-sessions-watchdog', String(server.pid), temporaryDirectory ?? ''],
    // Detached, or Ctrl-C in a terminal would end it together with us.
    { cwd: '/', env: programEnvironment, stdio: ['pipe', 'ignore', 'ignore'], detached: true },
  )
  const { stdin } = watchdog
  // Without a shell there is no watchdog, and the server still stops by stop().
  watchdog.once('error', () => {})
  stdin.once('error', () => {})
  watchdog.unref()
  const dismiss = (): void => {
    stdin.end('dismissed\n')
  }
  // A server that ended by itself leaves its number to others.
  server.once('exit', dismiss)
  return { dismiss }
}
