/** A search for sessions. */
export interface Search {
  readonly by: 'user' | 'session' | 'tag' | 'device'
  readonly text: string
}

/** The page that a query asks for. */
export type View =
  | { readonly name: 'overview' }
  | { readonly name: 'newest'; readonly before: string | null }
  | { readonly name: 'search'; readonly search: Search; readonly ended: number | null }
  | { readonly name: 'session'; readonly id: string; readonly ended: number | null }
  | { readonly name: 'end'; readonly action: Action }
  | { readonly name: 'unknown' }

/** What an administrator can do. */
export interface Action {
  readonly kind: 'end-session' | 'end-user' | 'end-tag'
  /** The session's or the user's id, or the tag. */
  readonly target: string
}

/** Reads which page a query asks for. */
export function requestedView(query: URLSearchParams): View {
  const session = query.get('session')
  const endSession = query.get('end-session')
  const endUser = query.get('end-user')
  const endTag = query.get('end-tag')
  const by = query.get('by')
  if (endSession !== null) return end({ kind: 'end-session', target: endSession })
  if (endUser !== null) return end({ kind: 'end-user', target: endUser })
  if (endTag !== null) return end({ kind: 'end-tag', target: endTag })
  if (session !== null) return sessionView(session, query)
  if (by !== null) return searchView(by, query)
  if (query.has('newest')) return { name: 'newest', before: query.get('before') }
  return { name: 'overview' }
}

function end(action: Action): View {
  return { name: 'end', action }
}

function sessionView(id: string, query: URLSearchParams): View {
  return { name: 'session', id: id.trim().toLowerCase(), ended: endedOf(query) }
}

function searchView(by: string, query: URLSearchParams): View {
  const text = query.get('q') ?? ''
  if (by === 'session') return sessionView(text, query)
  if (by !== 'user' && by !== 'tag' && by !== 'device') return { name: 'unknown' }
  return { name: 'search', search: { by, text }, ended: endedOf(query) }
}

/** A number only, since anyone can write a link. */
function endedOf(query: URLSearchParams): number | null {
  const ended = query.get('ended')
  return ended !== null && /^\d{1,9}$/.test(ended) ? Number(ended) : null
}

/** Reads the action of a form; null if it names none. */
export function requestedAction(form: URLSearchParams): Action | null {
  const kind = form.get('action')
  const target = decoded(form.get('target') ?? '')
  if (target === '') return null
  const isKnown = kind === 'end-session' || kind === 'end-user' || kind === 'end-tag'
  return isKnown ? { kind, target } : null
}

/** Empty for what no form of this page holds. */
function decoded(target: string): string {
  try {
    return decodeURIComponent(target)
  } catch {
    return ''
  }
}
