import type { CallOptions } from '../store/deadline.ts'
import type { CreateResult, NewSession } from '../store/session-store.ts'
import { FIRST_VERSION } from './operations/new-session.ts'
import type { StoreOperations } from './operations/store-operations.ts'
import type { TableAccess } from './table-access.ts'
import { isUnknown } from './unknown-outcome.ts'

/** Makes a session, and looks whether it was made if the answer got lost. */
export async function createOnce(
  tables: TableAccess,
  { create, findCreated }: Pick<StoreOperations, 'create' | 'findCreated'>,
  session: NewSession,
  options: CallOptions | undefined,
): Promise<CreateResult> {
  const call = { deadline: options?.deadline ?? tables.runner.begin() }
  try {
    const creation = await create.run(session, call)
    if (creation.status === 'created') return creation
  } catch (error) {
    if (!isUnknown(error)) throw error
    // Sent a second time, it might bring back a session that has ended since. But it may have got through.
    const times = await tables.ask(findCreated, session, call).catch(() => null)
    if (times === null) throw error
    return { status: 'created', times, version: FIRST_VERSION }
  }
  const times = await tables.ask(findCreated, session, call)
  if (times === null) return { status: 'taken' }
  return { status: 'created', times, version: FIRST_VERSION }
}
