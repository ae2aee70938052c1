import { decodeUtf8, encodeUtf8, isWellFormed } from '../../codec/utf8.ts'
import { byOrder, byParts, type Cereal, cerealType } from './cereal.ts'
import type { CerealInput } from './cereal-input.ts'
import type { CerealOutput } from './cereal-output.ts'
import { byCodePoints, isPair, readCodePoint, writeCodePoint } from './characters.ts'

/** `Char`: a string of one code point, which may be half of a surrogate pair. */
export const char: Cereal<string> = cerealType({
  name: 'Char',
  write(output, value) {
    refuseUnlessString(output, value)
    const codePoint = value.codePointAt(0)
    if (codePoint === undefined || value.length !== (codePoint > 0xffff ? 2 : 1)) {
      return output.refuse('must be a string of one code point.')
    }
    writeCodePoint(output, codePoint)
  },
  read: (input) => String.fromCodePoint(readCodePoint(input)),
  compare: byCodePoints,
})

/**
 * `String`: the number of code points, and the UTF-8 of each. Halves of surrogate pairs are kept.
 *
 * Two halves that stand next to each other as characters of their own, which Haskell can write and
 * JavaScript would fuse into one, do not decode.
 */
export const string: Cereal<string> = cerealType({
  name: 'String',
  write: writeString,
  read: (input) =>
    readString(input, (codePoint, before) => {
      if (isPair(before, codePoint))
        input.fail('hold two halves of a surrogate pair as characters.')
      return codePoint
    }),
  compare: byCodePoints,
})

/**
 * `Text` by the instance of the package cereal-text: the number of bytes, and UTF-8.
 *
 * cereal has no instance for `Text`; look up which one your program uses. The other is `textAsString`.
 */
export const text: Cereal<string> = cerealType({
  name: 'Text',
  write(output, value) {
    refuseUnlessText(output, value)
    const bytes = encodeUtf8(value)
    output.count(bytes.length)
    output.bytes(bytes)
  },
  read: (input) => decodeUtf8(input.take(input.count())),
  compare: byCodePoints,
})

/** `Text` by an instance that goes through `String`, `put . unpack`: the number of code points. */
export const textAsString: Cereal<string> = cerealType({
  name: 'Text',
  write(output, value) {
    refuseUnlessText(output, value)
    writeString(output, value)
  },
  // As Haskell's `pack` does: no Text holds half of a surrogate pair.
  read: (input) => readString(input, (codePoint) => (isSurrogate(codePoint) ? 0xfffd : codePoint)),
  compare: byCodePoints,
})

/** `ByteString`, strict or lazy: the number of bytes, and the bytes. */
export const bytes: Cereal<Uint8Array> = cerealType({
  name: 'ByteString',
  write(output, value) {
    if (!(value instanceof Uint8Array)) output.refuse('must be a Uint8Array.')
    output.count(value.length)
    output.bytes(value)
  },
  // A copy, which does not keep the memory of the whole row, and which the caller may change.
  read: (input) => new Uint8Array(input.take(input.count())),
  compare: (a, b) => byParts(a, b, byOrder),
})

function refuseUnlessString(output: CerealOutput, value: unknown): void {
  if (typeof value !== 'string') output.refuse('must be a string.')
}

function refuseUnlessText(output: CerealOutput, value: string): void {
  refuseUnlessString(output, value)
  if (!isWellFormed(value)) output.refuse('holds half of a surrogate pair, which no Text can.')
}

function writeString(output: CerealOutput, value: string): void {
  refuseUnlessString(output, value)
  if (isWellFormed(value)) {
    const encoded = encodeUtf8(value)
    output.count(countCharacters(encoded))
    output.bytes(encoded)
    return
  }
  const characters = Array.from(value, (character) => character.codePointAt(0) as number)
  output.count(characters.length)
  for (const codePoint of characters) writeCodePoint(output, codePoint)
}

/** In UTF-8 each character has one byte that is none of a continuation. */
function countCharacters(encoded: Uint8Array): number {
  let count = 0
  for (const byte of encoded) if ((byte & 0xc0) !== 0x80) count += 1
  return count
}

const CHUNK = 4096

function readString(
  input: CerealInput,
  accept: (codePoint: number, before: number) => number,
): string {
  const length = input.count()
  if (input.isAscii(length)) return decodeUtf8(input.take(length))
  let text = ''
  let chunk: number[] = []
  let before = 0
  for (let index = 0; index < length; index += 1) {
    before = accept(readCodePoint(input), before)
    chunk.push(before)
    if (chunk.length < CHUNK) continue
    text += String.fromCodePoint(...chunk)
    chunk = []
  }
  return text + String.fromCodePoint(...chunk)
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff
}
