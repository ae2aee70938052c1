/** Links to pages, as queries: they hold on any path and behind any proxy. */

export function sessionLink(id: string): string {
  return query({ session: id })
}

export function userLink(userId: string): string {
  return query({ by: 'user', q: userId })
}

export function tagLink(tag: string): string {
  return query({ by: 'tag', q: tag })
}

export function newestLink(before: string): string {
  return query({ newest: '', before })
}

export function endSessionLink(id: string): string {
  return query({ 'end-session': id })
}

export function endUserLink(userId: string): string {
  return query({ 'end-user': userId })
}

export function endTagLink(tag: string): string {
  return query({ 'end-tag': tag })
}

/** Where an action leads when it is done. */
export function doneLink(place: string, ended: number): string {
  return `${place}&${new URLSearchParams({ ended: String(ended) })}`
}

function query(parameters: Readonly<Record<string, string>>): string {
  return `?${new URLSearchParams(parameters)}`
}
