import type { Session } from '../../session/session.ts'
import type { Sessions } from '../../sessions.ts'

/**
 * Writes the application that the contract drives, in the framework under test, and starts it on a
 * port of its own.
 *
 * Every route reaches the session the way users of the framework do. What is done to the session stands
 * in the URL, and the script does it; the route has only to answer in its own way. `change` means
 * `script.change(session, url)`, with nothing awaited before the answer; `use` means
 * `await script.use(session, url)`. A `url` may be a path with its query or absolute.
 *
 * | route | does and answers |
 * |---|---|
 * | `/untouched` | text `untouched`, without touching the session |
 * | `/use` | use; its text |
 * | `/change` | change; text `changed` |
 * | `/json` | change; `{ "changed": true }`, the framework's way |
 * | `/redirect` | change; a redirect (302) to `/use`, the framework's way |
 * | `/empty` | change; 204 |
 * | `/tagged` | change; `ETag: "v1"`, and 304 for a matching `If-None-Match`, else text `tagged` |
 * | `/headed` | change, then the headers of `ownHeaders`; text `headed` |
 * | `/stream` | change; `script.body()` as a stream that heeds backpressure |
 * | `/events` | change; head flushed at once, then `script.events(session, url)` as server-sent events |
 * | `/throw` | change, then throws `script.error` with nothing awaited |
 * | `/throw-later` | use, then throws `script.error` |
 * | `/passed-on` | change, then answers nothing: the framework's own 404 |
 * | `/same` | text `true` when all ways to ask for the session give the same one |
 * | `/other` | use of the other session; its text |
 * | `/both` | use of the session, then of the other; both texts, joined by a line feed |
 * | `/inner` | change; then use of the session that a second adapter of the same `sessions` gives, which is mounted on this route alone (in a router, a sub-application, a plugin, a wrapper); its text |
 * | `/cached` | change; text `cached`. What runs last in the framework (a hook of the head, a middleware around the sessions) sets `ownHeaders['Cache-Control']` |
 * | `/broken-stream` | change; a stream that fails at once, such as one of a missing file, or `script.brokenBody()` |
 * | `/raw` | change; text `raw`, written past the framework. Only with the trait `raw` |
 * | `/same-site` | text `same-site`, behind `refuseCrossSite({ allow: ['https://admin.example.com'] })`; also for POST |
 * | `/fresh` | text `fresh`, behind `requireFresh('5m', { redirectTo: '/login' })`; also for POST |
 * | `/assigned` | assigns null to the property where routes find the session (`req.session = null`); text `assigned`. Only with the trait `property` |
 * | any other | the framework's own 404 |
 *
 * `HEAD` is answered as the framework answers it. The application has an error page, which answers
 * with the status and the text of `script.errorPage(session, url, error)`.
 */
export type OpenApplication = (parts: ApplicationParts) => Promise<RunningApplication>

/** What an application is made of. */
export interface ApplicationParts {
  readonly sessions: Sessions
  /** Sessions with another cookie, in the same application, for what the table calls the other. */
  readonly others: Sessions
  readonly script: Script
}

/** An application that listens. */
export interface RunningApplication {
  /** Like `http://127.0.0.1:40123`. */
  readonly origin: string
  /** Stops listening, and cuts the connections there are. */
  close(): Promise<void>
}

/** What the routes do and send. */
export interface Script {
  /** Changes the session as the URL says. */
  change(session: Session, url: string): void
  /** Uses the session as the URL says, and tells what it then holds. */
  use(session: Session, url: string): Promise<string>
  /** Some megabytes. */
  body(): AsyncIterable<Uint8Array>
  /** Fails before its first chunk. */
  brokenBody(): AsyncIterable<Uint8Array>
  /** What to send as events, each without a line feed. */
  events(session: Session, url: string): AsyncIterable<string>
  /** What the routes throw. */
  readonly error: Error
  /** The application's error page. */
  errorPage(session: Session, url: string, error: unknown): ErrorPage
}

/** How a route shows that its script threw. */
export interface ErrorPage {
  readonly status: number
  readonly text: string
}

/** What `/headed` sends of its own; each cookie is a line of its own. */
export const ownHeaders: OwnHeaders = {
  'Cache-Control': 'public, max-age=600',
  'CDN-Cache-Control': 'max-age=600',
  Vary: 'Accept',
  'WWW-Authenticate': 'Basic realm="own"',
  'Set-Cookie': ['theme=dark; Path=/', 'lang=eo; Path=/'],
}

/** Headers that a route sets itself, whatever its session adds. */
export interface OwnHeaders {
  readonly 'Cache-Control': string
  readonly 'CDN-Cache-Control': string
  readonly Vary: string
  readonly 'WWW-Authenticate': string
  readonly 'Set-Cookie': string[]
}
