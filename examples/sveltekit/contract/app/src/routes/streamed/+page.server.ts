import type { RequestEvent } from '@sveltejs/kit'
import '../../../../parts.ts'

/** What it promises comes while the page streams. */
export function load({ locals: { session }, request }: RequestEvent) {
  const { script } = globalThis.contractParts
  const last = async (): Promise<string> => {
    const seen: string[] = []
    for await (const event of script.events(session, request.url)) seen.push(event)
    return seen.join(' ')
  }
  return { last: last() }
}
