import type { FoundSession, MovableSession } from './import-source.ts'
import type { MoveOutcome } from './move-statement.ts'

/** What an import did, and what it left where it was. */
export interface ImportReport {
  /** False when it was stopped before it had seen every row. */
  readonly isComplete: boolean
  readonly moved: number
  /** Left: their deadline had passed. */
  readonly expired: number
  /** Left: written by the other system after their session had moved, or here under the same token. */
  readonly known: number
  /** Left: held or changed by others whenever they were tried. Another run gets them. */
  readonly busy: number
  /** Left: they cannot be sessions here. */
  readonly unreadable: readonly UnreadableRows[]
}

/** Rows with one kind of fault. */
interface UnreadableRows {
  readonly problem: string
  readonly count: number
  /** Some of the public ids that they would have here. */
  readonly ids: readonly string[]
}

const SHOWN_IDS = 3

/** Counts what becomes of the rows. */
export class ImportTally {
  readonly #counts: Record<MoveOutcome | 'expired', number> = {
    moved: 0,
    known: 0,
    busy: 0,
    expired: 0,
  }
  readonly #unreadable = new Map<string, { count: number; ids: string[] }>()
  #seen = 0

  get moved(): number {
    return this.#counts.moved
  }

  get seen(): number {
    return this.#seen
  }

  count(outcome: MoveOutcome | 'expired'): void {
    this.#counts[outcome] += 1
    this.#seen += 1
  }

  /** Counts the rows of a page that were not sessions to move. */
  countRest(page: readonly FoundSession[]): void {
    for (const { content } of page) {
      if (content.status === 'expired') this.count('expired')
      if (content.status === 'unreadable') this.#countUnreadable(content.problem, content.id)
    }
  }

  report(isComplete: boolean): ImportReport {
    const unreadable = [...this.#unreadable].map(([problem, { count, ids }]) => ({
      problem,
      count,
      ids,
    }))
    return { isComplete, ...this.#counts, unreadable }
  }

  #countUnreadable(problem: string, id: string | null): void {
    const known = this.#unreadable.get(problem) ?? { count: 0, ids: [] }
    known.count += 1
    if (id !== null && known.ids.length < SHOWN_IDS) known.ids.push(id)
    this.#unreadable.set(problem, known)
    this.#seen += 1
  }
}

/** The sessions of a page that can be moved. */
export function movableOf(page: readonly FoundSession[]): MovableSession[] {
  return page.map(({ content }) => content).filter((content) => content.status === 'movable')
}
