import { parse, stringify } from 'devalue'
import { UnsupportedError } from '../../errors.ts'
import type { SessionTexts } from '../by-sid/session-texts.ts'

/**
 * A session as Astro stores it: devalue's text of a `Map` of what `session.set` was given, each with its
 * expiry. Astro keeps the objects of the entries that a request leaves alone, and stores them again.
 */

/** Where an entry that was read says so. Astro gives applications its `data` alone. */
const READ = 'pg-sessions read'

/** What a request wants stored. */
export interface AstroContent {
  /** The entries, each as devalue's text, which is JSON. */
  readonly texts: SessionTexts
  /** What the session holds. */
  readonly data: Readonly<Record<string, unknown>>
  /** The mark of those that were read, if any is left. */
  readonly read: string | null
}

/** Writes entries for Astro, with a mark that comes back with those which a request leaves alone. */
export function writeForAstro(texts: SessionTexts, read: string): string {
  const entries = [...texts].map(
    ([key, text]) => [key, { ...entryOf(text), [READ]: read }] as const,
  )
  return stringify(new Map(entries), { URL: hrefOf })
}

/** @throws {UnsupportedError} It is not what Astro 7 stores. */
export function readFromAstro(value: string): AstroContent {
  const map: unknown = typeof value === 'string' ? parse(value, { URL: urlOf }) : value
  if (!(map instanceof Map)) throw new UnsupportedError(UNKNOWN)
  const texts: SessionTexts = new Map()
  const data: [string, unknown][] = []
  let read: string | null = null
  for (const [key, { [READ]: mark = null, ...entry }] of map as Map<string, AstroEntry>) {
    texts.set(key, stringify(entry, { URL: hrefOf }))
    data.push([key, entry.data])
    read ??= mark
  }
  return { texts, data: Object.fromEntries(data), read }
}

interface AstroEntry {
  readonly data: unknown
  readonly [READ]?: string
}

const UNKNOWN =
  'Astro has handed over a session in a form that astroSessionDriver does not know. It knows that of Astro 7.'

function entryOf(text: string): object {
  return parse(text, { URL: urlOf })
}

/** Astro adds URLs to the types of devalue, by this name. */
function hrefOf(value: unknown): string | false {
  return value instanceof URL && value.href
}

function urlOf(href: string): URL {
  return new URL(href)
}
