import { isCacheField } from './response-headers.ts'

/**
 * Keeps `Cache-Control: no-store` on these headers, whatever is set later: middleware around the session
 * may let caches keep every page, and would let them keep this visitor's cookie.
 */
export function sealNoStore(headers: Headers): void {
  for (const method of ['set', 'append', 'delete'] as const) {
    const change: (name: string, value: string) => void = headers[method]
    Object.defineProperty(headers, method, {
      configurable: true,
      value(name: string, value: string) {
        if (!isCacheField(name)) Reflect.apply(change, headers, [name, value])
      },
    })
  }
}
