import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { EmbeddedPostgresError } from '../errors.ts'
import { isStopping, ServerProcess, type ServerStart, type StartFailure } from './server-process.ts'

/** A free port may be taken before the server takes it. */
const PORT_ATTEMPTS = 5
/**
 * The server of a process that was just killed is told to stop in a moment, and then needs another
 * one; milliseconds.
 */
const TAKEOVER_PATIENCE = { told: 3000, ended: 20_000 }

/**
 * Starts a server on the wanted port, or on a free one, and waits for data that another server is
 * about to let go.
 *
 * @throws {EmbeddedPostgresError} Says which of port and data is in use, or the server's last words.
 */
export async function startServer(
  wanted: number | undefined,
  start: Omit<ServerStart, 'port'>,
): Promise<{ port: number; process: ServerProcess }> {
  const begin = Date.now()
  let portsLeft = wanted === undefined ? PORT_ATTEMPTS : 1
  for (;;) {
    const port = wanted ?? (await freePort())
    const process = await ServerProcess.start({ ...start, port })
    if (process instanceof ServerProcess) return { port, process }
    if (process.reason === 'port in use') portsLeft -= 1
    const patience = (await isStopping(start.data))
      ? TAKEOVER_PATIENCE.ended
      : TAKEOVER_PATIENCE.told
    const again =
      process.reason === 'data in use'
        ? Date.now() < begin + patience
        : process.reason === 'port in use' && portsLeft > 0
    if (!again) throw asError(process, port, start.data)
    await sleep(100)
  }
}

function asError(
  { reason, lastWords }: StartFailure,
  port: number,
  data: string,
): EmbeddedPostgresError {
  switch (reason) {
    case 'port in use':
      return new EmbeddedPostgresError(
        `Port ${port} of 127.0.0.1 is in use by another program. Name another one, or none for a free one.`,
      )
    case 'data in use':
      return new EmbeddedPostgresError(
        `Another server is running on the data in ${data}. Stop it, or name another data directory. PostgreSQL says:\n${lastWords}`,
      )
    case 'other':
      return new EmbeddedPostgresError(`PostgreSQL did not start. Its last words:\n${lastWords}`)
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', resolve)
  })
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
