import { ConfigurationError, UndecodableError } from 'pg-sessions'
import { cereal } from 'pg-sessions/haskell/cereal'
import { describe, expect, it } from 'vitest'
import { oddInputs, vectors } from './haskell.ts'
import { show, typeOf } from './show.ts'

/** The vectors were written, and the odd inputs read, by the package cereal of Haskell itself. */

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => Buffer.from(text, 'hex')

describe('what Haskell has written', () => {
  it.each(vectors)('$haskellType: $haskellShow', ({ haskellType, haskellShow, hex: written }) => {
    const type = typeOf(haskellType)
    const value = type.decode(bytes(written))
    expect(show(haskellType, value), 'is read as the same value').toBe(haskellShow)
    expect(hex(type.encode(value)), 'is written as the same bytes').toBe(written)
  })

  it('covers all types of the package', () => {
    const covered = new Set(
      [...vectors, ...oddInputs].map(({ haskellType }) => typeless(haskellType)),
    )
    expect(covered.size).toBeGreaterThan(60)
  })
})

describe('odd input', () => {
  it.each(oddInputs.filter(({ result }) => result === 'Right'))(
    'is read as Haskell reads it: $haskellType $hex gives $detail',
    ({ haskellType, hex: odd, detail }) => {
      expect(show(haskellType, typeOf(haskellType).decode(bytes(odd)))).toBe(detail)
    },
  )

  it.each(oddInputs.filter(({ result }) => result === 'Left'))(
    'is refused where Haskell refuses it: $haskellType $hex',
    ({ haskellType, hex: odd }) => {
      expect(() => typeOf(haskellType).decode(bytes(odd))).toThrow(UndecodableError)
    },
  )

  it('a type of 256 constructors, whose values Haskell cannot read back, cannot be made', () => {
    expect(oddInputs.filter(({ result }) => result === 'encode-only')).toHaveLength(4)
    const names = Array.from({ length: 256 }, (_, index) => `B256_${index}`)
    expect(() => cereal.enumeration('B', ...names.slice(1))).toThrow(ConfigurationError)
    expect(() => cereal.data(Object.fromEntries(names.map((name) => [name, []])))).toThrow(
      'exactly 256 constructors',
    )
  })
})

function typeless(haskellType: string): string {
  return haskellType.replace(/\(.*/, '')
}
