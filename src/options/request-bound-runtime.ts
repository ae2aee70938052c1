/**
 * Whether this runtime ties I/O to the request that began it, as Cloudflare's does: a socket, a timer or a promise
 * of one request is of no use to another.
 */
export function isRequestBoundRuntime(): boolean {
  const { navigator } = globalThis as { navigator?: { readonly userAgent?: unknown } }
  return navigator?.userAgent === 'Cloudflare-Workers'
}
