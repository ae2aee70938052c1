import { types } from './haskell.ts'

/**
 * Writes a value as Haskell's `show` does, so that what was decoded can be compared with what the
 * original had, and not only with what we encode again.
 */
export function show(haskellType: string, value: unknown): string {
  return showAt(haskellType, value, 0)
}

const APPLIED = 11

function showAt(type: string, value: unknown, precedence: number): string {
  const parenthesized = (text: string, own = 10): string => (precedence > own ? `(${text})` : text)
  if (type.startsWith('data ') || type.startsWith('newtype ')) {
    return showData(type, value, precedence)
  }
  if (type === 'Shape') return showShape(value, precedence)
  if (type === 'User') return showRecord('User', USER, value, precedence)
  if (type === '()') return '()'
  if (type === 'Char') return `'${escaped(value as string, "'")}'`
  if (type.startsWith('Text') || type === 'String') return `"${escapeAll(value as string)}"`
  if (type.endsWith('ByteString') && !type.includes('(') && !type.startsWith('Map')) {
    return `"${escapeAll(String.fromCharCode(...(value as Uint8Array)))}"`
  }
  if (type === 'Bool') return value === true ? 'True' : 'False'
  if (type === 'Double' || type === 'Float') return showFraction(type, value as number, precedence)
  if (type.startsWith('Ratio ')) {
    const { numerator, denominator } = value as { numerator: bigint; denominator: bigint }
    return parenthesized(`${showAt('Int', numerator, 8)} % ${denominator}`, 7)
  }
  const maybe = /^Maybe \(?(.*?)\)?$/.exec(type)?.[1]
  if (maybe !== undefined) {
    // `Maybe ()` has lost its parentheses above.
    const inner = maybe === '(' || maybe === '' ? '()' : maybe
    if (value === null) return 'Nothing'
    const isWrapped = inner === '()' || inner.startsWith('Maybe')
    const just = isWrapped ? (value as { just: unknown }).just : value
    return parenthesized(`Just ${showAt(inner, just, APPLIED)}`)
  }
  const either = /^Either (\S+) (\S+)$/.exec(type)
  if (either !== null) {
    const [, left = '', right = ''] = either
    const sides = value as { left?: unknown; right?: unknown }
    return 'left' in sides
      ? parenthesized(`Left ${showAt(left, sides.left, APPLIED)}`)
      : parenthesized(`Right ${showAt(right, sides.right, APPLIED)}`)
  }
  const list = /^\[(.*)\]$/.exec(type)?.[1]
  if (list !== undefined) {
    return `[${(value as unknown[]).map((each) => showAt(list, each, 0)).join(',')}]`
  }
  if (/^\(.*,.*\)$/.test(type)) {
    const inner = type.slice(1, -1).split(',')
    return `(${inner.map((each, index) => showAt(each, (value as unknown[])[index], 0)).join(',')})`
  }
  const map = /^Map (\S+) (\S+)$/.exec(type) ?? /^(Int)Map (\S+)$/.exec(type)
  if (map !== null) {
    const pairs = [...(value as Map<unknown, unknown>)]
    const [, key = '', held = ''] = map
    return parenthesized(
      `fromList [${pairs.map(([k, v]) => `(${showAt(key, k, 0)},${showAt(held, v, 0)})`).join(',')}]`,
    )
  }
  const set = /^Set (\S+)$/.exec(type)?.[1] ?? (type === 'IntSet' ? 'Int' : undefined)
  if (set !== undefined) {
    const members = [...(value as Set<unknown>)]
    if (set === 'Char') return `fromList "${escapeAll(members.join(''))}"`
    return `fromList [${members.map((each) => showAt(set, each, 0)).join(',')}]`
  }
  if (type === 'Array Int Bool') {
    const { lower, upper, elements } = value as {
      lower: bigint
      upper: bigint
      elements: boolean[]
    }
    const pairs = elements.map(
      (each, index) => `(${lower + BigInt(index)},${showAt('Bool', each, 0)})`,
    )
    return `array (${lower},${upper}) [${pairs.join(',')}]`
  }
  if (type === 'Tree Word8') return showTree(value)
  if (type === 'Ordering') return value as string
  const number = String(value)
  return number.startsWith('-') ? parenthesized(number, 6) : number
}

const USER: readonly (readonly [string, string])[] = [
  ['userId', 'Int64'],
  ['userName', 'String'],
  ['roles', '[String]'],
  ['admin', 'Bool'],
]

function showData(type: string, value: unknown, precedence: number): string {
  const name = /^(?:data|newtype) (\w+)/.exec(type)?.[1]
  if (name === 'Shape' || name === 'User') return showAt(name, value, precedence)
  if (name === 'Wrap') return showRecord('Wrap', [['unWrap', 'Int']], value, precedence)
  if (typeof value === 'string') return value
  const { type: constructorName, fields = [] } = value as { type: string; fields?: unknown[] }
  const shown = fields.map((field) =>
    typeof field === 'object' ? showData(type, field, APPLIED) : showAt('Integer', field, APPLIED),
  )
  const text = [constructorName, ...shown].join(' ')
  return shown.length > 0 && precedence > 10 ? `(${text})` : text
}

function showShape(value: unknown, precedence: number): string {
  const { type: constructorName, fields = [] } = value as { type: string; fields?: unknown[] }
  if (constructorName === 'Circle')
    return showRecord('Circle', [['radius', 'Double']], value, precedence)
  if (constructorName === 'Rect') {
    const sides = [
      ['width', 'Int32'],
      ['height', 'Int32'],
    ] as const
    return showRecord('Rect', sides, value, precedence)
  }
  const text = `Named ${showAt('String', fields[0], APPLIED)} ${showAt('Maybe Bool', fields[1], APPLIED)}`
  return precedence > 10 ? `(${text})` : text
}

function showRecord(
  name: string,
  fields: readonly (readonly [string, string])[],
  value: unknown,
  precedence: number,
): string {
  const held = value as Record<string, unknown>
  const shown = fields.map(([field, type]) => `${field} = ${showAt(type, held[field], 0)}`)
  const text = `${name} {${shown.join(', ')}}`
  return precedence > 10 ? `(${text})` : text
}

function showTree(value: unknown): string {
  const { rootLabel, subForest } = value as { rootLabel: number; subForest: unknown[] }
  return `Node {rootLabel = ${rootLabel}, subForest = [${subForest.map(showTree).join(',')}]}`
}

function showFraction(type: string, value: number, precedence: number): string {
  const text = showNumber(type, value)
  return text.startsWith('-') && precedence > 6 ? `(${text})` : text
}

function showNumber(type: string, value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (value < 0 || Object.is(value, -0)) return `-${showNumber(type, -value)}`
  if (value === Number.POSITIVE_INFINITY) return 'Infinity'
  if (value === 0) return '0.0'
  const shortest = type === 'Float' ? shortestFloat(value) : value
  if (value >= 0.1 && value < 1e7) {
    const text = String(shortest)
    return text.includes('.') ? text : `${text}.0`
  }
  const [digits = '', exponent = ''] = shortest.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}e${Number(exponent)}`
}

/** The number of the fewest digits that is the same float. */
function shortestFloat(value: number): number {
  for (let digits = 1; digits <= 9; digits += 1) {
    const candidate = Number(value.toPrecision(digits))
    if (Math.fround(candidate) === value) return candidate
  }
  return value
}

const NAMES =
  'NUL SOH STX ETX EOT ENQ ACK a b t n v f r SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  )

function escapeAll(text: string): string {
  const characters = [...text]
  return characters
    .map((character, index) => {
      const written = escaped(character, '"')
      const next = characters[index + 1] ?? ''
      // A digit would belong to the number, and an H make SOH of SO.
      const isOpen = /^\\\d+$/.test(written) && /\d/.test(next)
      return isOpen || (written === '\\SO' && next === 'H') ? `${written}\\&` : written
    })
    .join('')
}

function escaped(character: string, quote: string): string {
  const codePoint = character.codePointAt(0) as number
  if (character === '\\' || character === quote) return `\\${character}`
  if (codePoint === 0x7f) return '\\DEL'
  if (codePoint < 0x20) return `\\${NAMES[codePoint]}`
  return codePoint > 0x7f ? `\\${codePoint}` : character
}

/** @throws When the tests have no type of this name, so that no vector is passed over. */
export function typeOf(haskellType: string): NonNullable<(typeof types)[string]> {
  const type = types[haskellType]
  if (type === undefined) throw new TypeError(`There is no type for ${haskellType}.`)
  return type
}
