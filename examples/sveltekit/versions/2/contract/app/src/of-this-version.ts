import type { HandleServerError } from '@sveltejs/kit'

export type { Handle, HandleServerError } from '@sveltejs/kit'

/** Whether `handleError` is told of something that was thrown, rather than of `error(404)` or of no route. */
export function isUnexpected({ status }: Parameters<HandleServerError>[0]): boolean {
  return status !== 404
}
