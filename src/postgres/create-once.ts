import type { CallOptions } from '../store/deadline.ts'
import type { CreateResult, NewSession } from '../store/session-store.ts'
import type { Creation } from './operations/create.ts'
import { FIRST_VERSION } from './operations/new-session.ts'
import type { StoreOperations } from './operations/store-operations.ts'
import type { TableAccess } from './table-access.ts'
import { isUnknown } from './unknown-outcome.ts'
import type { UserCaps } from './user-caps.ts'

/** Makes a session, and looks whether it was made if the answer got lost. */
export async function createOnce(
  tables: TableAccess,
  operations: StoreOperations,
  caps: UserCaps,
  session: NewSession,
  options: CallOptions | undefined,
): Promise<CreateResult> {
  const { findCreated } = operations
  const call = { deadline: options?.deadline ?? tables.runner.begin() }
  let evicted: readonly string[] | undefined
  try {
    const creation = await create(operations, caps, session, call, (ids) => {
      evicted = ids
    })
    if (creation.status !== 'present') return creation
  } catch (error) {
    if (!isUnknown(error)) throw error
    // Sent a second time, it might bring back a session that has ended since. But it may have got through.
    const times = await tables.ask(findCreated, session, call).catch(() => null)
    if (times === null) throw error
    const created = { status: 'created', times, version: FIRST_VERSION } as const
    // They ended in the transaction that made the session.
    return evicted === undefined ? created : { ...created, evicted }
  }
  const times = await tables.ask(findCreated, session, call)
  if (times === null) return { status: 'taken' }
  return { status: 'created', times, version: FIRST_VERSION }
}

async function create(
  { create, createDetailed }: StoreOperations,
  caps: UserCaps,
  session: NewSession,
  call: CallOptions,
  onEvicting: (ids: readonly string[]) => void,
): Promise<Creation & { readonly evicted?: readonly string[] }> {
  const { userId, cap } = session
  if (userId === null || cap === undefined) return create.run(session, call)
  const signIn = { userId, own: null, cap, operation: createDetailed, call: session }
  const isDone = ({ status }: Creation): boolean => status === 'created'
  const { answer, evicted } = await caps.signIn({ ...signIn, isDone, onEvicting }, call)
  return answer.status === 'created' ? { ...answer, evicted } : answer
}
