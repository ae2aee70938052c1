import type { CerealInput } from './cereal-input.ts'
import type { CerealOutput } from './cereal-output.ts'

/**
 * Characters as cereal writes them: UTF-8, but with halves of surrogate pairs, which a Haskell `Char` may
 * be and a JavaScript string may hold.
 */
export function writeCodePoint(output: CerealOutput, codePoint: number): void {
  if (codePoint < 0x80) {
    output.byte(codePoint)
    return
  }
  if (codePoint < 0x800) {
    output.byte(0xc0 | (codePoint >> 6))
  } else {
    if (codePoint < 0x10000) {
      output.byte(0xe0 | (codePoint >> 12))
    } else {
      output.byte(0xf0 | (codePoint >> 18))
      output.byte(0x80 | ((codePoint >> 12) & 0x3f))
    }
    output.byte(0x80 | ((codePoint >> 6) & 0x3f))
  }
  output.byte(0x80 | (codePoint & 0x3f))
}

/**
 * Reads a character as cereal does, which looks at the first byte only: overlong forms pass, and bytes
 * that are none of a continuation count with all their bits.
 */
export function readCodePoint(input: CerealInput): number {
  const first = input.byte()
  if (first < 0x80) return first
  const next = (bits: number): number => (input.byte() ^ 0x80) | (bits << 6)
  if (first < 0xe0) return next(first ^ 0xc0)
  if (first < 0xf0) return next(next(first ^ 0xe0))
  const codePoint = next(next(next(first ^ 0xf0)))
  if (codePoint > 0x10ffff) input.fail('hold a character beyond U+10FFFF.')
  return codePoint
}

/** Whether a code point and the one after it would fuse into one in a JavaScript string. */
export function isPair(before: number, after: number): boolean {
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff
}

/** Compares by code points, as Haskell does; JavaScript's own order is that of UTF-16 units. */
export function byCodePoints(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at += 1) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (left !== right) return weight(a, at, left) - weight(b, at, right)
  }
  return a.length - b.length
}

/**
 * A unit's place in the order of code points: half of a pair stands for a character above all others, and
 * a half on its own for itself.
 */
function weight(text: string, at: number, unit: number): number {
  if (unit < 0xd800 || unit > 0xdfff) return unit
  const isLater = at > 0 && isPair(text.charCodeAt(at - 1), unit)
  const isPaired = isLater || isPair(unit, text.charCodeAt(at + 1))
  return isPaired ? unit + 0x10000 : unit
}
