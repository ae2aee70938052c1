import { type SealOptions, sealOption } from '../sealing/seal-settings.ts'
import { Sealing } from '../sealing/sealing.ts'

/** From the environment only: the arguments of a process are visible to others. */
const KEYS = 'PG_SESSIONS_SEAL_KEYS'

/** What the environment variable holds, for messages that ask for it. */
export const SEAL_KEYS_ADVICE: string = `the environment variable ${KEYS}: those of the setting seal, in base64, the current one first, separated by commas`

/**
 * Reads the keys of the setting `seal`; undefined if none are given.
 *
 * @throws {ConfigurationError} One of them is wrong. The message holds nothing of it.
 */
export function readSealKeys({
  acceptsUnsealed,
}: {
  readonly acceptsUnsealed: boolean
}): SealOptions | undefined {
  const text = process.env[KEYS]
  if (text === undefined || text === '') return undefined
  const keys = text.split(',').map((key) => key.trim())
  const acceptUnsealedUntil = acceptsUnsealed ? new Date(8.64e15) : undefined
  return sealOption.read({ keys, acceptUnsealedUntil }, KEYS) as SealOptions
}

/** What seals by these keys. Failures are counted by the command, so that none is logged. */
export function sealingOf(seal: SealOptions): Sealing {
  return new Sealing(seal, () => undefined)
}
