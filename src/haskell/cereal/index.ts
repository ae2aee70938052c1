/** Haskell's cereal format, type by type: `pg-sessions/haskell/cereal`. */

export type { Cereal, CerealValue } from './cereal.ts'
export { type CerealCodecTypes, cerealCodec } from './cereal-codec.ts'
export type { Either, Maybe } from './choices.ts'
export * as cereal from './haskell-types.ts'
export type { Ratio } from './ratio.ts'
export type { ConstructorFields, DataValue } from './records.ts'
export type { IndexedArray, Tree } from './sequences.ts'
