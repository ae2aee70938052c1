import type { SessionFigures, Share } from '../../store/store-inspector.ts'
import {
  AGES,
  MOST_OF_USER,
  REMAINING,
  type SampledCount,
  SIGN_IN_HOURS,
} from './sample-sessions.ts'

/** What part of a table a sample was, and what is known of the whole. */
export interface Sampling {
  /** Percent of the table's blocks. 100 or more for all of them. */
  readonly percent: number
  readonly estimatedRows: number | null
}

/** Where the parts of `sessionsPerUser` begin. */
const PER_USER = [1, 2, 3, 6, 11, 21, MOST_OF_USER]

/** Makes figures of the whole table out of those of a sample. */
export function scaleSample(
  counts: readonly SampledCount[],
  { percent, estimatedRows }: Sampling,
): SessionFigures {
  const isExact = percent >= 100
  const of = (figure: SampledCount['figure'], part = 0): number =>
    counts.find((count) => count.figure === figure && count.part === part)?.count ?? 0
  const sampled = of('stored')
  // What the last `analyze` counted is closer than what some blocks hold.
  const whole = isExact ? sampled : (estimatedRows ?? (sampled * 100) / percent)
  const scale = sampled === 0 ? 0 : whole / sampled
  const scaled = (count: number): number => Math.round(count * scale)
  const users = usersOf(counts, of('signedIn') * scale)
  return {
    isExact,
    stored: Math.round(whole),
    live: scaled(of('live')),
    signedIn: scaled(of('signedIn')),
    users: Math.round(sum(users)),
    remaining: REMAINING.map((from, index) => ({
      from: from * 1000,
      count: scaled(of('remaining', index + 1)),
    })),
    ages: AGES.map((from, index) => ({ from: from * 1000, count: scaled(of('age', index + 1)) })),
    signIns: Array.from({ length: SIGN_IN_HOURS }, (_, hour) => ({
      from: hour,
      count: scaled(of('signIn', hour)),
    })),
    sessionsPerUser: sharesOf(users),
  }
}

/**
 * Users by their number of sessions. A user with ten sessions is ten times as likely to be in a sample of sessions
 * as a user with one, so each counts for the inverse of that number.
 */
function usersOf(counts: readonly SampledCount[], signedIn: number): readonly number[] {
  const owned = counts.filter(({ figure, part }) => figure === 'user' && part > 0)
  const sampled = sum(owned.map(({ count }) => count))
  const users: number[] = new Array(MOST_OF_USER + 1).fill(0)
  for (const { part, count } of owned) users[part] = (count / sampled / part) * signedIn
  return users
}

function sharesOf(users: readonly number[]): readonly Share[] {
  return PER_USER.map((from, index) => ({
    from,
    count: Math.round(sum(users.slice(from, PER_USER[index + 1]))),
  }))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
