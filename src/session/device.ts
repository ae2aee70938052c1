import { ConfigurationError, LimitExceededError } from '../errors.ts'
import { truncatedAddress } from './network-address.ts'

/**
 * What a list shows of the place where a user is signed in. It may have members of your own, which hold text,
 * numbers, true, false or null. All of it together takes at most 1024 bytes as JSON.
 */
export interface DeviceDescription {
  /** What people know the device by: `Firefox on Windows`. */
  readonly label?: string
  /** The client's IP address, kept only as the setting `deviceAddress` says. */
  readonly address?: string
  readonly [detail: string]: string | number | boolean | null | undefined
}

/**
 * What is kept of a device's address: nothing, its network (`203.0.113.0/24`, `2001:db8:1::/48`), or all of
 * it.
 */
export type DeviceAddress = 'none' | 'network' | 'whole'

const MOST_BYTES = 1024

/**
 * Turns a description into what a store keeps.
 *
 * @throws {ConfigurationError} It is not an object of plain members, or holds text that PostgreSQL cannot.
 * @throws {LimitExceededError} It takes more than 1024 bytes.
 */
export function encodeDevice(device: unknown, kept: DeviceAddress): string {
  if (typeof device !== 'object' || device === null || Array.isArray(device)) {
    throw new ConfigurationError(
      "device must be an object, such as { label: 'Firefox on Windows' }.",
    )
  }
  const members: [string, unknown][] = []
  for (const [name, value] of Object.entries(device)) {
    if (value === undefined) continue
    if (!isPlain(name) || !isPlain(value)) {
      throw new ConfigurationError(
        `device.${JSON.stringify(name).slice(1, 40)} must be text without NUL, a finite number, true, false or null.`,
      )
    }
    const shown = name === 'address' ? keptAddress(value, kept) : value
    if (shown !== null || value === null) members.push([name, shown])
  }
  const json = JSON.stringify(Object.fromEntries(members))
  const size = Buffer.byteLength(json)
  if (size <= MOST_BYTES) return json
  throw new LimitExceededError(
    `The description of the device takes ${size} bytes; it may take ${MOST_BYTES}. Keep more about devices in a table of yours.`,
  )
}

/** Null if what is stored is not a description, such as one that someone changed by hand. */
export function decodeDevice(device: string | null | undefined): DeviceDescription | null {
  if (device === null || device === undefined) return null
  const value: unknown = JSON.parse(device)
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as DeviceDescription) : null
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value === 'boolean' || value === null
}

function keptAddress(address: unknown, kept: DeviceAddress): unknown {
  if (kept === 'whole') return address
  return kept === 'network' && typeof address === 'string' ? truncatedAddress(address) : null
}
