import { createHash } from 'node:crypto'

/**
 * The id of the mark that a moved session leaves. It follows from the session's own id alone, so that
 * a reader of the session's old row can look for it.
 */
export function markOf(id: string): string {
  const digest = createHash('sha256')
    .update(`pg-sessions mark of a moved session ${id}`)
    .digest('hex')
  return digest.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
