const generations = new WeakMap<object, number>()

/** The name of a statement on a client; a new one each time the client has lost its statements. */
export function nameOn(client: object, name: string): string {
  const generation = generations.get(client)
  return generation === undefined ? name : `${name}_${generation}`
}

/**
 * Has a client prepare all statements again, and tells whether it may still be used. The server knew them
 * no longer (`discard all`, `deallocate all`), or their plans no longer fit the tables. A client goes on
 * believing that they are there.
 *
 * @param limit - How often, before something else must be wrong, such as a pooler between.
 */
export function prepareAgain(client: object, limit: number): boolean {
  const generation = (generations.get(client) ?? 0) + 1
  generations.set(client, generation)
  return generation <= limit
}

/** Whether the server refused a prepared statement before it ran: it is unknown, or its plan outdated. */
export function isLostStatement(error: unknown): boolean {
  const { code, routine } = Object(error) as { readonly code?: unknown; readonly routine?: unknown }
  return code === '26000' || (code === '0A000' && routine === 'RevalidateCachedQuery')
}
