import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { isSessionError, UndecodableError } from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { composed } from './composed-types.ts'

describe('any type put together at random', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(
        composed.chain(({ type, values }) => fc.tuple(fc.constant(type), values)),
        ([type, value]) => deepStrictEqual(type.decode(type.encode(value)), value),
      ),
      { numRuns: 2000 },
    )
  })

  it('writes one value in one way: what is read again is written as it was', () => {
    fc.assert(
      fc.property(
        composed.chain(({ type, values }) => fc.tuple(fc.constant(type), values)),
        ([type, value]) => {
          const written = type.encode(value)
          expect(type.encode(type.decode(written))).toEqual(written)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('passes over whatever follows the value, as Haskell does', () => {
    fc.assert(
      fc.property(
        composed.chain(({ type, values }) => fc.tuple(fc.constant(type), values)),
        fc.uint8Array(),
        ([type, value], rest) => {
          deepStrictEqual(type.decode(Buffer.concat([type.encode(value), rest])), value)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('reads any bytes at all, or throws UndecodableError', () => {
    fc.assert(
      fc.property(composed, fc.uint8Array({ maxLength: 200 }), ({ type }, bytes) => {
        try {
          type.decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(UndecodableError)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('reads bytes that were changed or cut on the way, or throws UndecodableError', () => {
    fc.assert(
      fc.property(
        composed.chain(({ type, values }) => fc.tuple(fc.constant(type), values)),
        fc.nat(),
        fc.nat(255),
        fc.nat(),
        ([type, value], at, byte, cut) => {
          const bytes = type.encode(value)
          if (bytes.length === 0) return
          bytes[at % bytes.length] = byte
          try {
            type.decode(bytes.subarray(0, bytes.length - (cut % (bytes.length + 1))))
          } catch (error) {
            expect(error).toBeInstanceOf(UndecodableError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('writes any value at all and gives it back, or throws InvalidValueError', () => {
    fc.assert(
      fc.property(composed, fc.anything({ withBigInt: true, withMap: true }), ({ type }, value) => {
        let written: Uint8Array
        try {
          written = type.encode(value, 'basket')
        } catch (error) {
          expect(isSessionError(error) && error.code).toBe('ERR_INVALID_VALUE')
          return
        }
        deepStrictEqual(type.decode(written), value)
      }),
      { numRuns: 3000 },
    )
  })
})
