const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

const relative = new Intl.RelativeTimeFormat('en')

/** `5 minutes ago` */
export function ago(date: Date): string {
  const seconds = (Date.now() - date.getTime()) / 1000
  if (seconds < 5) return 'just now'
  const [unit, length] = largestUnit(seconds)
  return relative.format(-Math.round(seconds / length), unit)
}

/** `15 minutes` */
export function duration(seconds: number): string {
  const [unit, length] = largestUnit(seconds)
  const count = Math.round(seconds / length)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

function largestUnit(seconds: number): readonly [Intl.RelativeTimeFormatUnit, number] {
  return UNITS.find(([, length]) => seconds >= length) ?? ['second', 1]
}
