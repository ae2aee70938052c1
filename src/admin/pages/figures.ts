/** How figures and times read. */

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export function formatCount(count: number): string {
  return NUMBER.format(count)
}

/** An estimate shows no more digits than it has: `about 1,200,000`. */
export function formatEstimate(count: number, isExact: boolean): string {
  if (isExact || count === 0) return formatCount(count)
  const digits = Math.max(0, Math.floor(Math.log10(count)) - 1)
  const step = 10 ** digits
  return `about ${formatCount(Math.round(count / step) * step)}`
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

export function formatBytes(bytes: number): string {
  let [size, unit] = [bytes, 0]
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000
    unit += 1
  }
  const digits = unit === 0 || size >= 100 ? 0 : 1
  return `${size.toFixed(digits)} ${UNITS[unit]}`
}

const SPANS: readonly (readonly [milliseconds: number, name: string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
]

/** `3 minutes`, in the largest unit that is at least one. */
export function formatSpan(milliseconds: number): string {
  for (const [size, name] of SPANS) {
    const count = Math.floor(milliseconds / size)
    if (count >= 1) return `${formatCount(count)} ${name}${count === 1 ? '' : 's'}`
  }
  return 'less than a second'
}

/** `3 minutes ago`, or `in 3 minutes`. */
export function formatRelative(time: number, now: number): string {
  if (!Number.isFinite(time)) return 'never'
  return time > now ? `in ${formatSpan(time - now)}` : `${formatSpan(now - time)} ago`
}

/** `2026-11-30 18:40:12 UTC`. */
export function formatTime(time: number): string {
  if (!Number.isFinite(time) || Number.isNaN(new Date(time).getTime())) return 'never'
  return `${new Date(time).toISOString().replace('T', ' ').slice(0, 19)} UTC`
}

export function formatPercent(part: number, whole: number): string {
  return whole === 0 ? 'none yet' : `${((100 * part) / whole).toFixed(1)} %`
}

/** Milliseconds of a call: `0.4 ms`, `12 ms`. */
export function formatMilliseconds(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`
}
