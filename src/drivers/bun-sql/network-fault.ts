import { connect } from 'node:net'
import { within } from '../waiting/deadline.ts'
import type { BunSqlSettings } from './client.ts'

/**
 * Says why the network gives no connection to a server, by trying once more.
 *
 * @param timeout - Milliseconds.
 * @returns The error of the socket; undefined if it connects now, or is silent.
 */
export async function networkFault(
  { hostname = 'localhost', port = 5432, path }: BunSqlSettings,
  timeout: number,
): Promise<unknown> {
  const socket = connect(path ? { path } : { host: hostname, port: Number(port) })
  const fault = new Promise<unknown>((resolve) => {
    socket.once('connect', () => resolve(undefined))
    socket.once('error', resolve)
  })
  try {
    return await within(timeout, 'connect', fault)
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}
