import { randomUUID } from 'node:crypto'
import type { SessionStore } from 'pg-sessions/store'
import { lifetime, randomHash, sample } from '../../src/testing/store-contract/samples.ts'

/** Calls that go before: the first leaves alone and takes the slot, the others share the next statement. */
const COMPANY = [1, 2, 3]

/**
 * A store each of whose calls shares its statement with those of others, on other sessions, so that a
 * contract that asks one call at a time tries shared statements.
 */
export function inCompany(store: SessionStore): SessionStore {
  const anonymous = () => ({ id: randomUUID(), userId: null })
  return new Proxy(store, {
    get(target, name: keyof SessionStore) {
      switch (name) {
        case 'load':
          return accompanied(target.load.bind(target), async () => {
            await target.load({ ...anonymous(), secretHashes: [randomHash()] })
          })
        case 'save':
          return accompanied(target.save.bind(target), async () => {
            const change = { ...anonymous(), lifetime, written: [], deleted: [] }
            const token = { from: [randomHash()], to: randomHash() }
            await Promise.all([
              target.save(change),
              target.save({ ...change, id: randomUUID(), credentials: { token } }),
            ])
          })
        case 'touch':
          return accompanied(target.touch.bind(target), async () => {
            await target.touch({ id: randomUUID(), lifetime })
          })
        case 'create':
          return accompanied(target.create.bind(target), async () => {
            const other = sample()
            await target.create(other)
            await target.destroy({ id: other.id })
          })
        case 'destroy':
          return accompanied(target.destroy.bind(target), async () => {
            await target.destroy({ id: randomUUID() })
          })
        default: {
          const value: unknown = target[name]
          return typeof value === 'function' ? value.bind(target) : value
        }
      }
    },
  })
}

function accompanied<Arguments extends unknown[], Answer>(
  call: (...given: Arguments) => Promise<Answer>,
  other: () => Promise<void>,
): (...given: Arguments) => Promise<Answer> {
  return async (...given) => {
    const others = COMPANY.map(other)
    const answer = call(...given)
    await Promise.allSettled([answer, ...others])
    return answer
  }
}
