import type { Session } from 'pg-sessions'
import type { Exchange, ResponseLink, SessionOpener } from 'pg-sessions/adapter'

/** One request of a visitor, under way. */
export interface OpenRequest<Data extends object> {
  readonly exchange: Exchange<Data>
  readonly session: Session<Data>
  /** Ends the request: saves, and does with the cookies what a browser does. */
  commit(): Promise<void>
}

/** A client without HTTP: it shows its cookie at every request and obeys `Set-Cookie`. */
export class Visitor<Data extends object> {
  /** The token in its cookie jar. */
  token: string | null
  /** What the last response said about cookies. */
  setCookies: readonly string[] = []
  readonly #sessions: SessionOpener<Data>

  constructor(sessions: SessionOpener<Data>, token: string | null = null) {
    this.#sessions = sessions
    this.token = token
  }

  /** Makes a whole request, and gives what `use` gave. */
  async visit<Result = void>(
    use: (session: Session<Data>) => Result | Promise<Result>,
  ): Promise<Result> {
    const request = this.open()
    const result = await use(request.session)
    await request.commit()
    return result
  }

  /** Begins a request that a test goes through step by step. */
  open(link?: ResponseLink): OpenRequest<Data> {
    const header = this.token === null ? null : `theme=dark; __Host-id=${this.token}`
    const exchange = this.#sessions.open(header, link)
    const commit = async (): Promise<void> => {
      const { setCookies } = await exchange.commit()
      this.setCookies = setCookies
      for (const setCookie of setCookies) this.#obey(setCookie)
    }
    return { exchange, session: exchange.session, commit }
  }

  /** A second client with the same cookie, such as another tab, or a thief. */
  twin(): Visitor<Data> {
    return new Visitor(this.#sessions, this.token)
  }

  #obey(setCookie: string): void {
    const value = /^__Host-id=([^;]*);/.exec(setCookie)?.[1]
    if (value === undefined) return
    this.token = value === '' ? null : value
  }
}
