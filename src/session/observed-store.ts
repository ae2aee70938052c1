import { SessionsClosedError, StoreUnavailableError } from '../errors.ts'
import type { SessionStore } from '../store/session-store.ts'
import { traceOperation } from '../telemetry/channels.ts'
import type { SessionEventHub } from './session-events.ts'

/** A store that publishes its calls, raises an event when it cannot be asked, and takes no calls once it is closed. */
export function observeStore(store: SessionStore, events: SessionEventHub): SessionStore {
  let isClosed = false

  const observed = <Args extends readonly unknown[], Answer>(
    operation: string,
    call: (...args: Args) => Promise<Answer>,
  ): ((...args: Args) => Promise<Answer>) => {
    const onError = (error: unknown): never => {
      if (error instanceof StoreUnavailableError) {
        events.emit('storeUnavailable', { operation, error })
      }
      throw error
    }
    return (...args) =>
      isClosed
        ? Promise.reject(new SessionsClosedError())
        : traceOperation(operation, store.name, () => call(...args)).catch(onError)
  }

  const {
    backdateSignIn,
    check,
    describe,
    destroyByTag,
    destroyPage,
    endActing,
    fetch,
    findLive,
    inspector,
    inTransaction,
    listByTag,
    listen,
    loadUser,
    readUser,
    readValues,
    replaceValues,
    tag,
  } = store
  return {
    name: store.name,
    ...(store.deadline === undefined ? {} : { deadline: store.deadline }),
    ...(store.limitsUsers === undefined ? {} : { limitsUsers: store.limitsUsers }),
    ...(store.keepsFactors === undefined ? {} : { keepsFactors: store.keepsFactors }),
    ready: observed('ready', store.ready.bind(store)),
    load: observed('load', store.load.bind(store)),
    create: observed('create', store.create.bind(store)),
    save: observed('save', store.save.bind(store)),
    replace: observed('replace', store.replace.bind(store)),
    update: observed('update', store.update.bind(store)),
    take: observed('take', store.take.bind(store)),
    touch: observed('touch', store.touch.bind(store)),
    destroy: observed('destroy', store.destroy.bind(store)),
    listByUser: observed('listByUser', store.listByUser.bind(store)),
    destroyByUser: observed('destroyByUser', store.destroyByUser.bind(store)),
    ...(readUser === undefined ? {} : { readUser: observed('readUser', readUser.bind(store)) }),
    ...(readValues === undefined
      ? {}
      : { readValues: observed('readValues', readValues.bind(store)) }),
    ...(replaceValues === undefined
      ? {}
      : { replaceValues: observed('replaceValues', replaceValues.bind(store)) }),
    ...(describe === undefined ? {} : { describe: observed('describe', describe.bind(store)) }),
    ...(endActing === undefined ? {} : { endActing: observed('endActing', endActing.bind(store)) }),
    ...(tag === undefined ? {} : { tag: observed('tag', tag.bind(store)) }),
    ...(listByTag === undefined ? {} : { listByTag: observed('listByTag', listByTag.bind(store)) }),
    ...(destroyByTag === undefined
      ? {}
      : { destroyByTag: observed('destroyByTag', destroyByTag.bind(store)) }),
    ...(destroyPage === undefined
      ? {}
      : { destroyPage: observed('destroyPage', destroyPage.bind(store)) }),
    ...(check === undefined ? {} : { check: observed('check', check.bind(store)) }),
    ...(fetch === undefined ? {} : { fetch: observed('fetch', fetch.bind(store)) }),
    ...(loadUser === undefined ? {} : { loadUser: observed('loadUser', loadUser.bind(store)) }),
    ...(findLive === undefined ? {} : { findLive: observed('findLive', findLive.bind(store)) }),
    ...(backdateSignIn === undefined
      ? {}
      : { backdateSignIn: observed('backdateSignIn', backdateSignIn.bind(store)) }),
    ...(listen === undefined ? {} : { listen: observed('listen', listen.bind(store)) }),
    ...(inspector === undefined
      ? {}
      : {
          inspector: {
            figures: observed('inspectFigures', inspector.figures),
            newest: observed('inspectNewest', inspector.newest),
            ofUser: observed('inspectUser', inspector.ofUser),
            withTag: observed('inspectTag', inspector.withTag),
            withLabel: observed('inspectLabel', inspector.withLabel),
            session: observed('inspectSession', inspector.session),
            keys: observed('inspectKeys', inspector.keys),
            entries: observed('inspectEntries', inspector.entries),
          },
        }),
    ...(inTransaction === undefined ? {} : { inTransaction: inTransaction.bind(store) }),
    count: observed('count', store.count.bind(store)),
    purge: observed('purge', store.purge.bind(store)),
    close: async () => {
      isClosed = true
      await store.close()
    },
  }
}
