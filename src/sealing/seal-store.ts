import type { Codec } from '../codec/codec.ts'
import { ConfigurationError, isSessionError } from '../errors.ts'
import type { SessionEventHub } from '../session/session-events.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { SealOptions } from './seal-settings.ts'
import { sealedStore } from './sealed-store.ts'
import { Sealing } from './sealing.ts'

/** A store as the setting `seal` wants it, and its sealing; null without the setting. */
export interface OpenedStore {
  readonly store: SessionStore
  readonly sealing: Sealing | null
}

/**
 * Puts the sealing of values before a store.
 *
 * @throws {ConfigurationError} Another system reads the store's values, and could not open them.
 */
export function sealStore(
  store: SessionStore,
  seal: SealOptions | undefined,
  { codec, events }: { readonly codec: Codec; readonly events: SessionEventHub },
): OpenedStore {
  if (seal === undefined) return { store, sealing: null }
  if (store.requiredSettings !== undefined) {
    throw new ConfigurationError(
      `The store '${store.name}' shares its values with another system, which could not read sealed ones. Leave seal out.`,
    )
  }
  const sealing = new Sealing(seal, (sessionId, key, reason) => {
    events.emit('unsealFailed', { sessionId, key: nameOf(codec, key), reason })
  })
  store.sealMovedBy?.((id, entries, deadline) => sealing.sealAll(id, entries, deadline))
  return { store: sealedStore(store, sealing), sealing }
}

/** Null for a key that does not decode. */
function nameOf(codec: Codec, key: Uint8Array): string | null {
  try {
    return codec.decodeKey(key)
  } catch (error) {
    if (isSessionError(error)) return null
    throw error
  }
}
