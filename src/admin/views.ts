import { isSessionError } from '../errors.ts'
import type { Administration } from '../session/administration.ts'
import type { InspectedEntry, InspectedSession, StoreInspector } from '../store/session-store.ts'
import { isUserId } from '../store/user-id.ts'
import type { AdminValue } from './admin-options.ts'
import type { ProcessHistory } from './history/process-history.ts'
import type { StoreHistory } from './history/store-history.ts'
import type { Html } from './pages/html.ts'
import { newestPage, searchPage } from './pages/list-pages.ts'
import { messagePage } from './pages/message-page.ts'
import { type OverviewFacts, overviewPage } from './pages/overview-page.ts'
import type { ProcessFacts } from './pages/process-sections.ts'
import { type ShownEntry, sessionPage } from './pages/session-page.ts'
import type { Search, View } from './requested-view.ts'
import { MOST_VALUE_BYTES, shownKey, shownValue } from './shown-value.ts'
import { inspectedSession, inspectedUser } from './without-inspector.ts'

/** How many sessions a list shows, and keys a session. */
const PAGE = 50
/** Those of a user or a tag. */
const MANY = 200
const KEYS = 200
/** How many of the newest sessions a search by label reads. */
const AMONG = 20_000

/** A page with the status that goes with it. */
export interface ShownView {
  readonly page: Html
  readonly status: number
}

/** Reads what a page shows, and makes the page. */
export class Views {
  readonly #administration: Administration
  readonly #inspector: StoreInspector | undefined
  readonly #showValue: (value: AdminValue) => boolean
  readonly #process: ProcessHistory
  readonly #history: StoreHistory | null

  constructor(
    administration: Administration,
    showValue: (value: AdminValue) => boolean,
    process: ProcessHistory,
    history: StoreHistory | null,
  ) {
    this.#administration = administration
    this.#inspector = administration.store.inspector
    this.#showValue = showValue
    this.#process = process
    this.#history = history
  }

  async show(view: Exclude<View, { name: 'end' }>, actor: string): Promise<ShownView> {
    switch (view.name) {
      case 'overview':
        return this.#overview(actor)
      case 'newest':
        return this.#newest(view.before, actor)
      case 'search':
        return this.#search(view.search, view.ended, actor)
      case 'session':
        return this.#session(view.id, view.ended, actor)
      case 'unknown':
        return {
          page: messagePage({ actor, title: 'No such page' }, 'There is no such search.'),
          status: 404,
        }
    }
  }

  /** What this process has seen is shown also while the database does not answer. */
  async #overview(actor: string): Promise<ShownView> {
    const read = await this.#stored().catch((error: unknown) => {
      if (isSessionError(error)) return error
      throw error
    })
    const isFailure = read instanceof Error
    const facts: OverviewFacts = {
      stored: isFailure ? null : read,
      problem: isFailure ? read.message : read === null ? this.#cannot() : null,
      canSearchDevices: this.#inspector !== undefined,
      process: this.#processFacts(),
    }
    const status = isFailure ? Math.max(read.statusCode, 500) : 200
    return { page: overviewPage({ actor, title: 'Sessions' }, facts), status }
  }

  async #stored(): Promise<OverviewFacts['stored']> {
    if (this.#history === null || this.#inspector === undefined) return null
    const figures = await this.#history.read()
    const newest = await this.#inspector.newest({ before: null, limit: 10 })
    return { figures, newest, moments: this.#history.moments }
  }

  async #newest(before: string | null, actor: string): Promise<ShownView> {
    const frame = { actor, title: 'Newest sessions' }
    if (this.#inspector === undefined) {
      return { page: messagePage(frame, this.#cannot()), status: 200 }
    }
    const sessions = await this.#inspector.newest({ before, limit: PAGE + 1 })
    return { page: newestPage(frame, this.#list(sessions, PAGE)), status: 200 }
  }

  async #search(search: Search, ended: number | null, actor: string): Promise<ShownView> {
    const frame = { actor, title: titleOf(search) }
    if (search.by !== 'user' && this.#inspector === undefined) {
      return { page: messagePage(frame, this.#cannot()), status: 200 }
    }
    const limit = search.by === 'device' ? PAGE : MANY
    const sessions = await this.#found(search, limit + 1)
    const list = { ...this.#list(sessions, limit), ended, among: AMONG }
    return { page: searchPage(frame, search, list), status: 200 }
  }

  async #found({ by, text }: Search, limit: number): Promise<readonly InspectedSession[]> {
    const { store } = this.#administration
    if (by === 'user') {
      if (!isUserId(text)) return []
      if (this.#inspector === undefined) return inspectedUser(store, text)
      return this.#inspector.ofUser({ userId: text, limit })
    }
    if (by === 'tag') {
      // What a user's id can be, a tag can be.
      return (isUserId(text) && (await this.#inspector?.withTag({ tag: text, limit }))) || []
    }
    if (text === '' || text.includes('\0') || this.#inspector === undefined) return []
    return this.#inspector.withLabel({ label: text.toWellFormed(), among: AMONG, limit })
  }

  async #session(id: string, ended: number | null, actor: string): Promise<ShownView> {
    const { store } = this.#administration
    const inspector = this.#inspector
    const session = await (inspector === undefined
      ? inspectedSession(store, id)
      : inspector.session(id))
    const keys = session === null ? [] : ((await inspector?.keys({ id, limit: KEYS + 1 })) ?? [])
    const entries = session === null ? [] : await this.#entries(session, keys.slice(0, KEYS), actor)
    const now = Date.now()
    const isCut = keys.length > KEYS
    const facts = {
      id,
      session,
      entries: inspector === undefined ? null : entries,
      isCut,
      ended,
      now,
      canSearchDevices: inspector !== undefined,
    }
    return {
      page: sessionPage({ actor, title: `Session ${id}` }, facts),
      status: session === null && ended === null ? 404 : 200,
    }
  }

  /** Reads the values that the application shows, and says by an event whose they were. */
  async #entries(
    { id, userId }: InspectedSession,
    keys: readonly InspectedEntry[],
    actor: string,
  ): Promise<readonly ShownEntry[]> {
    const { codec, events } = this.#administration
    const named = keys.map((entry) => ({ ...entry, name: shownKey(codec, entry.key) }))
    const shown = named.filter(
      ({ name }) => name !== null && this.#isShown({ key: name, sessionId: id, userId, actor }),
    )
    const values = new Map<string, Uint8Array>()
    if (shown.length > 0) {
      const search = { id, keys: shown.map(({ key }) => key), bytes: MOST_VALUE_BYTES }
      for (const { key, value } of (await this.#inspector?.entries(search)) ?? []) {
        values.set(hex(key), value)
      }
      const read = shown.filter(({ key }) => values.has(hex(key)))
      events.emit('adminViewed', {
        actor,
        sessionId: id,
        userId,
        keys: read.map(({ name }) => name ?? ''),
      })
    }
    return named.map(({ key, name, size }) => {
      const value = values.get(hex(key))
      return { key: name, size, value: value === undefined ? null : shownValue(codec, value) }
    })
  }

  #isShown(value: AdminValue): boolean {
    try {
      return this.#showValue(value) === true
    } catch (error) {
      this.#administration.log.error({ err: error }, 'showValue of the admin page failed')
      return false
    }
  }

  #list(sessions: readonly InspectedSession[], limit: number) {
    return {
      sessions: sessions.slice(0, limit),
      isCut: sessions.length > limit,
      now: Date.now(),
      canSearchDevices: this.#inspector !== undefined,
    }
  }

  #processFacts(): ProcessFacts {
    const now = Date.now()
    return {
      span: now - this.#process.startedAt,
      operations: this.#process.operations(),
      calls: this.#process.calls.lastHour(now),
      signIns: this.#process.signIns.lastHour(now),
      purges: this.#process.purges,
    }
  }

  #cannot(): string {
    return `The store '${this.#administration.store.name}' shows no figures, lists or keys of sessions; PostgresStore does. You can find the sessions of a user, and end sessions.`
  }
}

function titleOf({ by, text }: Search): string {
  if (by === 'user') return `Sessions of ${text}`
  return by === 'tag' ? `Sessions tagged ${text}` : `Devices labelled ${text}`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
