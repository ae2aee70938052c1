import type { Operation, Shown, TokenChange } from './history.ts'

/**
 * What one session is, as far as one of its keys is concerned. Nothing in it knows SQL, HTTP or the library:
 * it says in the fewest words what the promises say.
 */
export interface ModelState {
  readonly phase: 'not begun' | 'live' | 'ended'
  readonly userId: string | null
  /** Changes at each sign-in. */
  readonly version: number
  /** The token in force. */
  readonly token: string
  /** The token before the last renewal, while it may still work. */
  readonly previous: string | null
  /** Whether a client has shown the token in force, so that the one before may stop working at any time. */
  readonly isShown: boolean
  readonly value: string | undefined
  /** Whether a second factor was proved since the sign-in. */
  readonly isElevated: boolean
  /** Whether an administrator acts as the user, so that it is dead without their own session. */
  readonly isActing: boolean
  readonly tags: readonly string[]
  /** What is noted of the device. */
  readonly label: string | null
  /** The version that each request saw when it loaded or began the session. */
  readonly seen: Readonly<Record<number, number>>
}

/** In what stores differ. */
export interface ModelRules {
  /** Whether a rotation stops the writes of requests that began before it, as a sign-in does. */
  readonly doesRotationStopRequests?: boolean
}

export const NOT_BEGUN: ModelState = {
  phase: 'not begun',
  userId: null,
  version: 0,
  token: '',
  previous: null,
  isShown: false,
  value: undefined,
  isElevated: false,
  isActing: false,
  tags: [],
  label: null,
  seen: {},
}

/** A token that a change gave the session, and that no client was told. */
function unseen(operation: Operation): string {
  return `?${operation.index}`
}

/** The states that an operation may lead to from a state; none if it cannot have happened there. */
export function apply(
  state: ModelState,
  operation: Operation,
  key: string,
  rules: ModelRules = {},
): readonly ModelState[] {
  const { deed } = operation
  if (deed.kind === 'begin') {
    if (state.phase !== 'not begun') return []
    const { token, userId, isActing = false } = deed
    const begun = { ...NOT_BEGUN, phase: 'live' as const, token, userId, isActing }
    return [saw({ ...begun, value: deed.entries.get(key) }, operation)]
  }
  // A later operation may concern a session that is not known to have begun, as a list of sessions does.
  if (state.phase === 'not begun') return isHarmless(operation) ? [state] : []
  return withoutFadingToken(state).flatMap((it) => applyToBegun(it, operation, key, rules))
}

function applyToBegun(
  state: ModelState,
  operation: Operation,
  key: string,
  rules: ModelRules,
): readonly ModelState[] {
  const { deed } = operation
  const isLive = state.phase === 'live'
  const isCurrent = isLive && sawThisVersion(state, operation)
  switch (deed.kind) {
    case 'begin':
      return []
    case 'load': {
      const isSame =
        deed.userId === state.userId &&
        deed.isElevated === state.isElevated &&
        deed.entries.get(key) === state.value
      if (!isLive || !works(state, deed.token) || !isSame) return []
      return [saw(state.token === deed.token ? { ...state, isShown: true } : state, operation)]
    }
    case 'refused':
      return isLive && works(state, deed.token) && !state.isActing ? [] : [state]
    case 'save': {
      if (!isCurrent) return []
      const saved = { ...state, value: valueAfter(state.value, deed, key) }
      return deed.change === null ? [saved] : changeToken(saved, deed.change, operation, rules)
    }
    case 'update':
      if (!isCurrent || (deed.key === key && state.value !== deed.seen)) return []
      return [deed.key === key ? { ...state, value: deed.next } : state]
    case 'take':
      if (!isCurrent || (deed.key === key && state.value !== deed.taken)) return []
      return [deed.key === key ? { ...state, value: undefined } : state]
    case 'end':
      return !isLive ? [state] : works(state, deed.token) ? [ended(state)] : []
    case 'replace':
      if (!isLive) return [state]
      return isCurrent && works(state, deed.token) ? [ended(state)] : []
    case 'told gone': {
      const isStopped = deed.needsToken !== null && !works(state, deed.needsToken)
      return isCurrent && !isStopped ? [] : [state]
    }
    case 'end by id': {
      const applies = isLive && (deed.owner === null || deed.owner === state.userId)
      return applies !== deed.ended ? [] : [applies ? ended(state) : state]
    }
    case 'end by user':
      return [isLive && state.userId === deed.userId ? ended(state) : state]
    case 'end by tag':
      return [isLive && state.tags.includes(deed.tag) ? ended(state) : state]
    case 'end all':
      return [isLive ? ended(state) : state]
    case 'evicted':
      return isLive && state.userId === deed.userId && !state.isActing ? [ended(state)] : []
    case 'end acting':
      return isCurrent && state.isActing && works(state, deed.token) ? [ended(state)] : []
    case 'needed':
      return isLive && state.userId === deed.userId && !state.isActing ? [state] : []
    case 'come back': {
      if (!isLive || state.userId !== deed.userId || state.isActing) return []
      const token = deed.to ?? unseen(operation)
      return [saw({ ...state, token, previous: null, isShown: false }, operation)]
    }
    case 'list':
      return shows(deed.shown, isLive && state.userId === deed.userId, state) ? [state] : []
    case 'list by tag':
      return shows(deed.shown, isLive && state.tags.includes(deed.tag), state) ? [state] : []
    case 'tag': {
      const tags = changedTags(state.tags, deed)
      return isCurrent && (deed.tags === null || isEqual(tags, deed.tags))
        ? [{ ...state, tags }]
        : []
    }
    case 'describe':
      return isCurrent ? [{ ...state, label: deed.label }] : []
    case 'time passes':
      return [deed.isLong ? ended(state) : { ...state, previous: null }]
  }
}

function changeToken(
  state: ModelState,
  change: TokenChange,
  operation: Operation,
  { doesRotationStopRequests = false }: ModelRules,
): readonly ModelState[] {
  const to = change.to ?? unseen(operation)
  const isAnswered = operation.end !== Number.POSITIVE_INFINITY
  if (change.kind === 'renew') {
    const renewed = { ...state, token: to, previous: state.token, isShown: false }
    const isDue = state.token === change.from
    // The response with an earlier renewal got lost, and the same token is sent again.
    const isSentAgain =
      change.to !== null && state.previous === change.from && isTheSame(state.token, change.to)
    return [
      ...(isDue ? [renewed] : []),
      ...(isSentAgain ? [{ ...state, token: change.to ?? '' }] : []),
      ...(change.to === null ? [state] : []),
    ]
  }
  if (!works(state, change.from)) {
    return change.kind === 'rotate' && change.to === null ? [state] : []
  }
  if (isAnswered && change.to === null) return []
  const changed = { ...state, token: to, previous: null, isShown: false }
  const version = state.version + 1
  if (change.kind === 'sign in') {
    const userId = change.userId ?? null
    return [saw({ ...changed, userId, isElevated: false, version }, operation)]
  }
  if (change.kind === 'elevate') return [{ ...changed, isElevated: true }]
  return [doesRotationStopRequests ? saw({ ...changed, version }, operation) : changed]
}

function isTheSame(token: string, shown: string): boolean {
  return token === shown || token.startsWith('?')
}

function valueAfter(
  value: string | undefined,
  save: { readonly written: ReadonlyMap<string, string>; readonly deleted: readonly string[] },
  key: string,
): string | undefined {
  return save.deleted.includes(key) ? undefined : (save.written.get(key) ?? value)
}

function changedTags(
  tags: readonly string[],
  { added, removed }: { readonly added: readonly string[]; readonly removed: readonly string[] },
): readonly string[] {
  const all = new Set([...tags, ...added])
  return [...all].filter((tag) => !removed.includes(tag)).sort()
}

function isEqual(tags: readonly string[], others: readonly string[]): boolean {
  return tags.join() === [...others].sort().join()
}

/** Whether a list shows a session as it is, or leaves it out if it must, or may since its administrator's has ended. */
function shows(
  shown: Shown | null,
  isMeant: boolean,
  { label, tags, isActing }: ModelState,
): boolean {
  if (shown === null) return !isMeant || isActing
  if (!isMeant) return false
  return shown.label === label && isEqual(tags, shown.tags)
}

function works({ token, previous }: ModelState, shown: string): boolean {
  return shown === token || shown === previous
}

function saw(state: ModelState, { request }: Operation): ModelState {
  return { ...state, seen: { ...state.seen, [request]: state.version } }
}

function sawThisVersion(state: ModelState, { request }: Operation): boolean {
  return state.seen[request] === state.version
}

function ended(state: ModelState): ModelState {
  return { ...state, phase: 'ended', value: undefined, previous: null }
}

/** The state as it is, and as it is once the token before the one in force has stopped working. */
function withoutFadingToken(state: ModelState): readonly ModelState[] {
  const mayFade = state.previous !== null && state.isShown
  return mayFade ? [state, { ...state, previous: null }] : [state]
}

function isHarmless({ deed }: Operation): boolean {
  switch (deed.kind) {
    case 'end by user':
    case 'end by tag':
    case 'end all':
    case 'time passes':
      return true
    case 'end by id':
      return !deed.ended
    case 'list':
    case 'list by tag':
      return deed.shown === null
    default:
      return false
  }
}
