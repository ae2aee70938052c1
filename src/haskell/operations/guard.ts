import { bigint, type ParameterTypes, text } from '../../postgres/parameter-types.ts'
import type { Precondition } from '../../store/session-store.ts'
import { isGuarded, NOTE_ACCESS } from '../sql-fragments.ts'

/** What guards every write: the row, and its version; null for any. */
interface Guard {
  readonly id: string
  readonly version: string | null
}

export const guardTypes: ParameterTypes<Guard> = { id: bigint, version: text }

export function giveGuard({ id, version }: Precondition): Guard {
  return { id, version: version ?? null }
}

/** Locks and touches the session of a change. */
export function touchLive(
  sessions: string,
  guard: Readonly<Record<keyof Guard, string>>,
  timeout: number,
  returning: string,
): string {
  return `
        update ${sessions}
        set ${NOTE_ACCESS}
        where ${isGuarded(guard, timeout)}
        returning ${returning}`
}
