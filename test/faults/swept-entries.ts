import type { Lifetime, Precondition } from 'pg-sessions/store'
import { bytes } from '../../src/testing/store-contract/samples.ts'
import { type SweptOperation, type SweptSession, statusOf } from './swept-session.ts'

type Update = {
  readonly key: Uint8Array
  readonly expected: Uint8Array | null
  readonly value: Uint8Array | null
}

/** What every store does to one entry. */
export function sweptEntryOperations(
  guardOf: (session: SweptSession) => Precondition & { readonly lifetime: Lifetime },
): Readonly<Record<string, SweptOperation>> {
  const updating = (update: Update): SweptOperation => ({
    call: (store, session) => store.update({ ...guardOf(session), ...update }).then(statusOf),
  })
  return {
    'update what is there': updating({ key: bytes('a'), expected: bytes('1'), value: bytes('9') }),
    'update what is not there': updating({ key: bytes('d'), expected: null, value: bytes('9') }),
    'update to nothing': updating({ key: bytes('a'), expected: bytes('1'), value: null }),
    take: {
      call: (store, session) =>
        store
          .take({ ...guardOf(session), key: bytes('a') })
          .then((result) => JSON.stringify(result)),
    },
  }
}
