/** Finds what JSON would not give back as it was. */

import { isWellFormed } from './utf8.ts'

import { DEEPEST_NESTING, describeClass, ValueWalk } from './value-walk.ts'

/**
 * How many parts a value may unfold to. JSON writes a shared object once for each place it stands
 * in, so thirty nested pairs of one object would unfold to a thousand million parts.
 */
const MOST_PARTS = 1_000_000

const OTHER_CODEC = 'or use structuredCloneCodec of pg-sessions/structured-clone'

/** Checks one value for the JSON codec. */
export class JsonWalk extends ValueWalk {
  /** The object at each level above the current one, to tell a cycle from mere depth. */
  readonly #holders: object[] = []
  #partsLeft: number = MOST_PARTS

  override visit(value: unknown, depth: number): void {
    if (--this.#partsLeft < 0) {
      this.refuse(0, `has more than ${MOST_PARTS} parts, counting shared ones each time.`)
    }
    switch (typeof value) {
      case 'string':
        if (!isWellFormed(value)) this.refuse(depth, 'holds half of a surrogate pair.')
        return
      case 'number':
        if (!Number.isFinite(value)) this.refuse(depth, `is ${value}, which JSON turns into null.`)
        if (Object.is(value, -0)) this.refuse(depth, 'is -0, which JSON turns into 0.')
        return
      case 'boolean':
        return
      case 'object':
        if (value !== null) this.#visitObject(value, depth)
        return
      case 'undefined':
        return this.refuse(
          depth,
          'is undefined, which JSON leaves out: store null, or leave it out.',
        )
      case 'bigint':
        return this.refuse(
          depth,
          `is a bigint, which JSON does not have: store its text, ${OTHER_CODEC}.`,
        )
      default:
        return this.refuse(depth, `is a ${typeof value}, which cannot be stored.`)
    }
  }

  protected override visitName(name: string, depth: number): void {
    if (!isWellFormed(name)) this.refuse(depth, 'has half of a surrogate pair in its name.')
  }

  #visitObject(object: object, depth: number): void {
    this.#holders[depth] = object
    if (depth >= DEEPEST_NESTING) this.#refuseDepth(depth)
    const prototype: unknown = Object.getPrototypeOf(object)
    if (Array.isArray(object) && prototype === Array.prototype) {
      this.#visitElements(object, depth)
    } else if (prototype === Object.prototype) {
      this.visitProperties(object, depth)
    } else if (prototype === null) {
      // Given back with a prototype it would answer `'constructor' in value` otherwise than before.
      this.refuse(depth, `has no prototype, but would come back with one: store { ...value }.`)
    } else {
      const kind = describeClass(object)
      this.refuse(
        depth,
        `is ${kind}, which JSON does not keep: store its plain data, ${OTHER_CODEC}.`,
      )
    }
  }

  #visitElements(array: readonly unknown[], depth: number): void {
    // Their number tells of extra properties; getOwnPropertyNames would be four times as slow.
    const names = Object.keys(array)
    this.refuseExtras(array, names, depth)
    for (let index = 0; index < array.length; index += 1) {
      if (array[index] === undefined && !Object.hasOwn(array, index)) {
        this.refuse(depth, `has no element ${index}, and JSON would put null there.`)
      }
      this.step(index, depth, array[index])
    }
  }

  #refuseDepth(depth: number): never {
    const seen = new Map<object, number>()
    for (const [level, holder] of this.#holders.slice(0, depth + 1).entries()) {
      const before = seen.get(holder)
      if (before !== undefined)
        this.refuse(
          level,
          `is ${this.pathAt(before)} again, and JSON cannot hold a cycle: store an id in its place, ${OTHER_CODEC}.`,
        )
      seen.set(holder, level)
    }
    return this.refuse(0, `is nested more than ${DEEPEST_NESTING} levels deep.`)
  }
}
