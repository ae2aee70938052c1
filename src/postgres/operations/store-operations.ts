import type {
  DestroyResult,
  Ending,
  NewSession,
  SaveResult,
  SessionChange,
  Touch,
} from '../../store/session-store.ts'
import type { Upstream } from '../batcher.ts'
import type { SharedCall, TableAccess } from '../table-access.ts'
import type { TableNames } from '../table-names.ts'
import type { UserRowSql } from '../user/user-row.ts'
import { backdateSignIn } from './backdate-sign-in.ts'
import { check } from './check.ts'
import { type Creation, createDetailed, createOperation, findCreated } from './create.ts'
import { describeOperation } from './describe.ts'
import { destroyAgain, destroyOperation, destroySeveral } from './destroy.ts'
import { destroyPage } from './destroy-page.ts'
import { endActing } from './end-acting.ts'
import { fetchOperation } from './fetch.ts'
import {
  BY_TAG,
  BY_USER,
  count,
  type FindLive,
  findLive,
  type LookedUp,
  listLive,
  lookUp,
} from './find-sessions.ts'
import { type LoadedSession, loadOperation, type TokenLoad } from './load.ts'
import { purgeOperation } from './purge.ts'
import { readUser } from './read-user.ts'
import { replaceOperation } from './replace.ts'
import { saveOperation } from './save.ts'
import {
  type SaveCredentialsAlone,
  saveCredentialsAlone,
  saveCredentialsOperation,
} from './save-credentials.ts'
import { readValues, replaceValues } from './stored-values.ts'
import { type ChangeTags, changeTags } from './tag.ts'
import { takeOperation } from './take.ts'
import { touchOperation } from './touch.ts'
import { type UpdateEntry, updateEntry } from './update-entry.ts'

/** What `PostgresStore` asks of its tables. */
export interface StoreOperations {
  readonly load: SharedCall<TokenLoad, LoadedSession>
  readonly fetch: ReturnType<typeof fetchOperation>
  readonly create: SharedCall<NewSession, Creation>
  readonly createDetailed: ReturnType<typeof createDetailed>
  readonly findCreated: ReturnType<typeof findCreated>
  readonly save: SharedCall<SessionChange, SaveResult>
  readonly saveCredentials: SharedCall<SessionChange, SaveResult>
  /** By statements of their own, for a transaction and for a renewal. */
  readonly saveCredentialsAlone: SaveCredentialsAlone
  readonly replace: ReturnType<typeof replaceOperation>
  readonly update: UpdateEntry
  readonly take: ReturnType<typeof takeOperation>
  readonly touch: SharedCall<Touch, 'touched'>
  readonly destroy: SharedCall<Ending, DestroyResult>
  /** For after a lost answer. */
  readonly destroyAgain: ReturnType<typeof destroyAgain>
  readonly destroyByUser: ReturnType<typeof destroySeveral>
  readonly destroyByTag: ReturnType<typeof destroySeveral>
  readonly tag: ChangeTags
  readonly describe: ReturnType<typeof describeOperation>
  readonly endActing: ReturnType<typeof endActing>
  readonly destroyPage: ReturnType<typeof destroyPage>
  readonly readUser: ReturnType<typeof readUser>
  readonly readValues: ReturnType<typeof readValues>
  readonly replaceValues: ReturnType<typeof replaceValues>
  readonly listByUser: ReturnType<typeof listLive>
  readonly listByTag: ReturnType<typeof listLive>
  readonly findLive: FindLive
  readonly lookUp: SharedCall<string, LookedUp>
  readonly backdateSignIn: ReturnType<typeof backdateSignIn>
  readonly check: ReturnType<typeof check>
  readonly count: ReturnType<typeof count>
  readonly purge: ReturnType<typeof purgeOperation>
}

/** Several kinds of calls whose callers are likely to come; the first of them that is answered counts. */
function firstOf(...upstreams: readonly Upstream[]): Upstream {
  return {
    onceAnswered: (listener) =>
      upstreams.map((upstream) => upstream.onceAnswered(listener)).includes(true),
  }
}

/**
 * The operations of a store.
 *
 * Rules that hold for all of them: one statement does the whole operation; the session's id is written out
 * wherever a table is named; every write of entries hangs on a lock of the live session's row, which guards
 * it and makes writers of one session wait for each other; time is the database's `now()`.
 */
export function storeOperations(
  names: TableNames,
  tables: TableAccess,
  users: { readonly rows: UserRowSql } | null,
): StoreOperations {
  const load = tables.share(loadOperation(names, users))
  const lookUpFirst = tables.share(lookUp(names))
  // A request that ends a session often begins another, and one that has begun a session or signed in goes on to save.
  const create = tables.share(createOperation(names), lookUpFirst)
  const saveCredentials = tables.share(saveCredentialsOperation(names), load)
  return {
    load,
    fetch: fetchOperation(names),
    create,
    createDetailed: createDetailed(names),
    findCreated: findCreated(names),
    save: tables.share(saveOperation(names), firstOf(load, create, saveCredentials)),
    saveCredentials,
    saveCredentialsAlone: saveCredentialsAlone(names),
    replace: replaceOperation(names),
    update: updateEntry(names),
    take: takeOperation(names),
    touch: tables.share(touchOperation(names)),
    destroy: tables.share(destroyOperation(names), firstOf(load, lookUpFirst)),
    destroyAgain: destroyAgain(names),
    destroyByUser: destroySeveral(names, BY_USER),
    destroyByTag: destroySeveral(names, BY_TAG),
    tag: changeTags(names),
    describe: describeOperation(names),
    endActing: endActing(names),
    destroyPage: destroyPage(names),
    readUser: readUser(names),
    readValues: readValues(names),
    replaceValues: replaceValues(names),
    listByUser: listLive(names, BY_USER),
    listByTag: listLive(names, BY_TAG),
    findLive: findLive(names),
    lookUp: lookUpFirst,
    backdateSignIn: backdateSignIn(names),
    check: check(names),
    count: count(names),
    purge: purgeOperation(names),
  }
}
