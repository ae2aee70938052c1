import type { ServerResponse } from 'node:http'
import { processWide } from '../process-wide.ts'
import { heedEarlyLookup } from './detached-end.ts'
import { holdHead } from './held-head.ts'
import { addToHead, type ResponseHeaders } from './response-headers.ts'

/** One of those for whom a response's head waits. */
export interface HoldMember {
  /** Whether there is nothing to save. */
  readonly isSettled: boolean
  /** The hold ends. A later change needs another. */
  released(): void
  /** Saves what there is to save. */
  save(): Promise<void>
  /** Drops what has not been saved, since the response will not say that it was. */
  discard(): void
  /** What to add to the head, except for what an earlier call has given. */
  responseHeaders(): ResponseHeaders
  /** Answers when `save` has failed. */
  fail(error: unknown): void
}

/** The members of each hold whose save has not begun. */
const membersOf = processWide('shared-hold', () => new WeakMap<ServerResponse, Set<HoldMember>>())

/**
 * Holds a response's head until all members have saved. There is one hold for all sessions of an
 * application: holds that lie over each other could be undone only in order.
 *
 * When one save fails the handler's response is dropped, and that member answers. The headers of the others
 * go with its answer: a token that a save has replaced is dead, so the client needs the new one.
 */
export function holdFor(member: HoldMember, response: ServerResponse): void {
  const others = membersOf.get(response)
  if (others !== undefined) return void others.add(member)

  const members = new Set([member])
  let failing = member
  membersOf.set(response, members)
  holdHead(response, {
    commitNow() {
      for (const { isSettled } of members) if (!isSettled) return undefined
      membersOf.delete(response)
      for (const member of members) member.released()
      return headersOf(members)
    },
    async commit() {
      membersOf.delete(response)
      for (failing of members) await failing.save()
      return headersOf(members)
    },
    fail(error) {
      for (const each of members) each.discard()
      if (!response.headersSent) addToHead(response, headersOf(members))
      failing.fail(error)
    },
  })
  heedEarlyLookup(response)
}

function headersOf(members: Iterable<HoldMember>): ResponseHeaders {
  const headers = [...members].map((member) => member.responseHeaders())
  const challenge = headers.find((each) => each.challenge !== undefined)?.challenge
  return {
    setCookies: headers.flatMap(({ setCookies }) => setCookies),
    noStore: headers.some(({ noStore }) => noStore),
    varyCookie: headers.some(({ varyCookie }) => varyCookie),
    varyAuthorization: headers.some(({ varyAuthorization = false }) => varyAuthorization),
    fields: Object.assign({}, ...headers.map(({ fields }) => fields)),
    ...(challenge === undefined ? {} : { challenge }),
  }
}
