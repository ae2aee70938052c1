import { ConfigurationError } from '../../errors.ts'
import { isRequestBoundRuntime } from '../../options/request-bound-runtime.ts'

/** What Cloudflare's runtime binds to the request that makes it, and refuses to look at in another. */
interface RequestBound {
  readonly readyState: unknown
}

/**
 * Makes a check that a client is used in the request that has made it, where a runtime ties sockets to requests.
 * There, a query of another request would wait for an answer that never comes.
 *
 * @returns A function that throws a `ConfigurationError` in another request, or whenever the client was made
 * outside of one. On other runtimes it does nothing.
 */
export function requestCheck(maker: string): () => void {
  if (!isRequestBoundRuntime()) return () => undefined
  const own = makeRequestBound()
  return () => {
    try {
      if (own !== null) return void own.readyState
    } catch {
      // As below.
    }
    throw new ConfigurationError(
      `${maker} was called ${own === null ? 'outside of a request' : 'in another request'}, and Cloudflare ties connections to the request that opens them. Nothing was sent. Make the client, ${maker} and createSessions within each request's handler, and end the client by ctx.waitUntil.`,
    )
  }
}

/** Null while modules load: nothing of the kind can be made then. */
function makeRequestBound(): RequestBound | null {
  const { WebSocketPair } = globalThis as { WebSocketPair?: new () => { readonly 0: RequestBound } }
  try {
    return WebSocketPair === undefined ? null : new WebSocketPair()[0]
  } catch {
    return null
  }
}
