import type { Answer } from './protocol.ts'

/** Makes several of something. */
export function times<Item>(count: number, make: (n: number) => Item): Item[] {
  return Array.from({ length: count }, (_, n) => make(n))
}

/** How often each outcome was answered. */
export function outcomesOf(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { outcome } of answers) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Ids in an order that can be compared. */
export function idsOf(all: readonly { readonly id: string | null }[]): readonly (string | null)[] {
  return all.map(({ id }) => id).sort()
}
