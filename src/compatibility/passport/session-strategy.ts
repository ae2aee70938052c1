import type { Session } from '../../session/session.ts'
import { PASSPORT_KEY, type PassportContext, type PassportRequest } from './passport-like.ts'

/** What Passport gives a strategy for one request. */
interface StrategyActions {
  pass(): void
  error(error: unknown): void
}

/** Passport's strategy `session` on native sessions: sets `req.user` of who is signed in. */
export class NativeSessionStrategy {
  readonly name = 'session'
  readonly context: PassportContext

  constructor(context: PassportContext) {
    this.context = context
  }

  authenticate(this: NativeSessionStrategy & StrategyActions, request: PassportRequest): void {
    restore(this.context, request).then(
      () => process.nextTick(() => this.pass()),
      (error: unknown) => process.nextTick(() => this.error(error)),
    )
  }
}

async function restore(context: PassportContext, request: PassportRequest): Promise<void> {
  const session = context.session(request)
  await session.load()
  const serialized = serializedUser(context, session)
  if (serialized === null) return
  const user = await context.deserialize(serialized, request)
  // The application says that there is no such user any more.
  if (!user) return session.signOut()
  const property: unknown = Reflect.get(request, '_userProperty') ?? 'user'
  Reflect.set(request, property as string, user)
}

/**
 * The user as `serializeUser` gave it; null for none. The session's own user decides: a login that
 * Passport noted for another user, or for a session that was signed out, does not count. A session that
 * was signed in without Passport has its user's id.
 */
function serializedUser(context: PassportContext, { userId, data }: Session): unknown {
  if (userId === null) return null
  const login = data[PASSPORT_KEY]
  if (typeof login !== 'object' || login === null || !('user' in login)) return userId
  return context.userId(login.user) === userId ? login.user : userId
}
