import { readFileSync } from 'node:fs'
import { type Cereal, cereal } from 'pg-sessions/haskell/cereal'

/** What Haskell's cereal made of a value. */
export interface Vector {
  readonly haskellType: string
  /** The value as Haskell shows it. */
  readonly haskellShow: string
  readonly hex: string
}

/** What Haskell's cereal made of odd bytes. */
export interface OddInput {
  readonly haskellType: string
  readonly hex: string
  readonly result: 'Left' | 'Right' | 'encode-only'
  /** The value as Haskell shows it, or its complaint. */
  readonly detail: string
}

export const vectors: readonly Vector[] = read('cereal-vectors.json')
export const oddInputs: readonly OddInput[] = read('cereal-decode-edge.json')

function read<Found>(file: string): Found {
  return JSON.parse(readFileSync(new URL(`../../interop/${file}`, import.meta.url), 'utf8'))
}

const shape: Cereal<Shape> = cereal.data({
  Circle: { radius: cereal.double },
  Rect: { width: cereal.int32, height: cereal.int32 },
  Named: [cereal.string, cereal.maybe(cereal.bool)],
})

type Shape =
  | { type: 'Circle'; radius: number }
  | { type: 'Rect'; width: number; height: number }
  | { type: 'Named'; fields: [string, boolean | null] }

const user = cereal.record({
  userId: cereal.int64,
  userName: cereal.string,
  roles: cereal.list(cereal.string),
  admin: cereal.bool,
})

type BTree = { type: 'Leaf' } | { type: 'Node_'; fields: [BTree, bigint, BTree] }
const bTree: Cereal<BTree> = cereal.data({
  Leaf: [],
  Node_: [cereal.lazy(() => bTree), cereal.integer, cereal.lazy(() => bTree)],
})

const [first, ...others] = Array.from({ length: 257 }, (_, index) => `B257_${index}`)
const big257 = cereal.enumeration(first as string, ...others)

const { bytes, bool, char, string, int, int64, word8, integer } = cereal

/** The types of the vectors, by Haskell's names. */
export const types: Readonly<Record<string, Cereal<unknown>>> = {
  ByteString: bytes,
  'Data.ByteString.Lazy.ByteString': bytes,
  String: string,
  'Text(cereal-text)': cereal.text,
  'Text(via String)': cereal.textAsString,
  Char: char,
  Bool: bool,
  Ordering: cereal.ordering,
  '()': cereal.unit,
  Int: int,
  Int64: int64,
  Int8: cereal.int8,
  Int16: cereal.int16,
  Int32: cereal.int32,
  Word8: word8,
  Word16: cereal.word16,
  Word32: cereal.word32,
  Word64: cereal.word64,
  Word: cereal.word,
  Integer: integer,
  Natural: cereal.natural,
  'Ratio Integer': cereal.ratio(integer),
  'Ratio Int': cereal.ratio(int),
  Double: cereal.double,
  Float: cereal.float,
  'Maybe Int': cereal.maybe(int),
  'Maybe String': cereal.maybe(string),
  'Maybe (Maybe Bool)': cereal.maybe(cereal.maybe(bool)),
  'Maybe ()': cereal.maybe(cereal.unit),
  'Maybe Word8': cereal.maybe(word8),
  'Maybe User': cereal.maybe(user),
  'Either String Int': cereal.either(string, int),
  'Either () ()': cereal.either(cereal.unit, cereal.unit),
  'Either Word8 Bool': cereal.either(word8, bool),
  '(Int,Bool)': cereal.tuple(int, bool),
  '(String,ByteString)': cereal.tuple(string, bytes),
  '((),Bool)': cereal.tuple(cereal.unit, bool),
  '(Word8,Word8,Word8,Word8)': cereal.tuple(word8, word8, word8, word8),
  '(Word8,Word8,Word8,Word8,Word8)': cereal.tuple(word8, word8, word8, word8, word8),
  '[Int]': cereal.list(int),
  '[Word8]': cereal.list(word8),
  '[Bool]': cereal.list(bool),
  '[String]': cereal.list(string),
  '[[Word8]]': cereal.list(cereal.list(word8)),
  '[()]': cereal.list(cereal.unit),
  '[Maybe Word8]': cereal.list(cereal.maybe(word8)),
  '[Shape]': cereal.list(shape),
  'Map Int Bool': cereal.map(int, bool),
  'Map String String': cereal.map(string, string),
  'Map ByteString ByteString': cereal.map(bytes, bytes),
  'Map Shape Word8': cereal.map(shape, word8),
  'Map Word8 Word8': cereal.map(word8, word8),
  'Set Int': cereal.set(int),
  'Set Char': cereal.set(char),
  'Set String': cereal.set(string),
  'Set Integer': cereal.set(integer),
  'Set Word8': cereal.set(word8),
  'IntMap Bool': cereal.intMap(bool),
  IntSet: cereal.intSet,
  'Array Int Bool': cereal.array(int, bool),
  'Tree Word8': cereal.tree(word8),
  'data Shape = Circle { radius :: Double } | Rect { width :: Int32, height :: Int32 } | Named String (Maybe Bool)':
    shape,
  'data User = User { userId :: Int64, userName :: String, roles :: [String], admin :: Bool }':
    user,
  'data Colour = Red | Green | Blue': cereal.enumeration('Red', 'Green', 'Blue'),
  'data Two = TA Word16 | TB': cereal.data({ TA: [cereal.word16], TB: [] }),
  'data One = One': cereal.enumeration('One'),
  'newtype Wrap = Wrap { unWrap :: Int }': cereal.record({ unWrap: int }),
  'data BTree = Leaf | Node_ BTree Integer BTree': bTree,
  'data Big257 = B257_0 | .. | B257_256': big257,
}
