/**
 * Remembers which flags of `clearSession` this process has seen, to tell a login that is in flight on the
 * other side from a flag that was left behind.
 *
 * The tables don't say when a flag was set, so it counts from the first time this process read it. One
 * memory serves all stores of the process, since a version names one state of one row of one database.
 */
const firstSeen = new Map<string, number>()

/** An evicted flag counts as seen for the first time, which only delays its completion. */
const CAPACITY = 4096

/**
 * Tells whether a flag has stood for `patience` milliseconds.
 *
 * @param version - Names the flagged row as it is now: another `clearSession` gives it another version.
 * @param now - The database's clock, in milliseconds.
 */
export function hasStood(version: string, now: number, patience: number): boolean {
  const since = firstSeen.get(version) ?? now
  // Moves it to the end, so that the flags read longest ago are evicted first.
  firstSeen.delete(version)
  firstSeen.set(version, since)
  if (firstSeen.size > CAPACITY) {
    const [oldest] = firstSeen.keys()
    firstSeen.delete(oldest as string)
  }
  return now - since >= patience
}
