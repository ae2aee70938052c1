/** All types of the package cereal under one name: `cereal.string`, `cereal.map(…)`. */

export { bool, either, enumeration, maybe, ordering, unit } from './choices.ts'
export { integer, natural } from './integers.ts'
export { intMap, intSet, map, set } from './maps.ts'
export {
  double,
  float,
  int,
  int8,
  int16,
  int32,
  int64,
  word,
  word8,
  word16,
  word32,
  word64,
} from './numbers.ts'
export { ratio } from './ratio.ts'
export { data, record, tuple } from './records.ts'
export { array, list, seq, tree } from './sequences.ts'
export { bytes, char, string, text, textAsString } from './texts.ts'
export { convert, lazy } from './variations.ts'
