import type { HandleServerError } from '@sveltejs/kit/hooks'

export type { Handle, HandleServerError } from '@sveltejs/kit/hooks'

/** Whether `handleError` is told of something that was thrown, rather than of `error(404)` or of no route. */
export function isUnexpected({ kind }: Parameters<HandleServerError>[0]): boolean {
  return kind === 'unknown'
}
