import { InvalidValueError } from '../../errors.ts'
import { PASSPORT_KEY, type PassportContext, type PassportRequest } from './passport-like.ts'

type Done = (error?: unknown) => void

/** What `req.logIn` and `req.logOut` were given. */
interface LogOptions {
  readonly keepSessionInfo?: boolean
}

const NO_USER =
  'gave a value that names no user. Give an id as a string or whole number, or an object with such an id; for another form write passportSessions(passport, { userId: (serialized) => serialized.name }).'

/** Passport's session manager on native sessions: `logIn` is `signIn`, and `logOut` is `signOut`. */
export class NativeSessionManager {
  readonly #context: PassportContext

  constructor(context: PassportContext) {
    this.#context = context
  }

  /** Signs the user in. The visitor's data goes, unless `keepSessionInfo` is set. */
  logIn(request: PassportRequest, user: unknown, options: LogOptions | Done, done?: Done): void {
    call(this.#logIn(request, user, optionsOf(options)), doneOf(options, done))
  }

  /** Ends the session. With `keepSessionInfo`, another one begins with its data. */
  logOut(request: PassportRequest, options: LogOptions | Done, done?: Done): void {
    call(this.#logOut(request, optionsOf(options)), doneOf(options, done))
  }

  async #logIn(request: PassportRequest, user: unknown, options: LogOptions): Promise<void> {
    const session = this.#context.session(request)
    const serialized = await this.#context.serialize(user, request)
    const userId = this.#context.userId(serialized)
    if (userId === null) throw new InvalidValueError('serializeUser', NO_USER)
    await session.load()
    if (!options.keepSessionInfo) for (const key of Object.keys(session.data)) session.delete(key)
    // Set before the sign-in, so that both are one statement, unless the sign-in drops another user's data.
    const login = { user: serialized }
    session.set(PASSPORT_KEY, login)
    await session.signIn(userId)
    if (!(await session.has(PASSPORT_KEY))) session.set(PASSPORT_KEY, login)
    await session.save()
  }

  async #logOut(request: PassportRequest, options: LogOptions): Promise<void> {
    const session = this.#context.session(request)
    await session.load()
    const { [PASSPORT_KEY]: _, ...data } = session.data
    await session.signOut()
    if (!options.keepSessionInfo) return
    for (const [key, value] of Object.entries(data)) session.set(key, value)
    await session.save()
  }
}

function optionsOf(options: LogOptions | Done): LogOptions {
  return typeof options === 'function' ? {} : options
}

function doneOf(options: LogOptions | Done, done: Done | undefined): Done {
  return typeof options === 'function' ? options : (done as Done)
}

/** Calls back from outside of the promise, so that what the callback throws is its caller's. */
function call(work: Promise<void>, done: Done): void {
  work.then(
    () => process.nextTick(done),
    (error: unknown) => process.nextTick(done, error),
  )
}
