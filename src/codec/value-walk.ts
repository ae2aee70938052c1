/** One walk through a value, part by part, that refuses what a codec cannot give back. */

import { InvalidValueError } from '../errors.ts'
import { type PathStep, pathTo } from './value-path.ts'

/**
 * How many objects and arrays may lie within each other, the outermost included.
 *
 * Far beyond any session, and far below the few thousand levels at which recursive writers and
 * readers run out of stack.
 */
export const DEEPEST_NESTING = 100

const CLASS_NAME = /^[A-Za-z_$][\w$]{0,39}$/

/**
 * What the walks of all codecs share: the path, and the rules for plain objects.
 *
 * `depth` is the number of steps from the root to the part at hand.
 */
export abstract class ValueWalk {
  readonly #root: string
  /** The step taken out of each level; only those above the current depth are meaningful. */
  readonly #steps: PathStep[] = []

  constructor(root: string) {
    this.#root = root
  }

  /** @throws {InvalidValueError} The value, or a part of it, cannot be given back. */
  abstract visit(value: unknown, depth: number): void

  /** @throws {InvalidValueError} No property may be called so. */
  protected abstract visitName(name: string, depth: number): void

  /** Visits a part one step further in. */
  protected step(step: PathStep, depth: number, part: unknown): void {
    this.#steps[depth] = step
    this.visit(part, depth + 1)
  }

  /**
   * Visits what a plain object holds. Its properties are read without running a getter, since a
   * getter could answer otherwise when the value is written.
   */
  protected visitProperties(object: object, depth: number): void {
    this.refuseSymbols(object, depth)
    for (const name of Object.getOwnPropertyNames(object)) {
      this.#steps[depth] = name
      this.visitName(name, depth + 1)
      const property = Object.getOwnPropertyDescriptor(object, name)
      if (property === undefined || property.get !== undefined || property.set !== undefined) {
        this.refuse(depth + 1, 'is a getter or setter: store the value it gives.')
      }
      if (property.enumerable !== true) {
        this.refuse(depth + 1, 'is hidden (not enumerable) and would be left out.')
      }
      this.visit(property.value, depth + 1)
    }
  }

  protected refuseSymbols(object: object, depth: number): void {
    if (Object.getOwnPropertySymbols(object).length > 0) {
      this.refuse(depth, 'has a symbol for a key, which would be left out.')
    }
  }

  /** Refuses properties of an array that are not elements (`index` of a match, say). */
  protected refuseExtras(array: readonly unknown[], names: readonly string[], depth: number): void {
    this.refuseSymbols(array, depth)
    const last = names.at(-1)
    // Own names come in order, the elements' first.
    if (last !== undefined && !isIndexOf(array, last)) {
      this.#steps[depth] = last
      this.refuse(depth + 1, 'is a property of an array, which would be left out.')
    }
  }

  /** @throws {InvalidValueError} Always; its path is the first `depth` steps. */
  protected refuse(depth: number, problem: string): never {
    throw new InvalidValueError(this.pathAt(depth), problem)
  }

  protected pathAt(depth: number): string {
    return pathTo(this.#root, this.#steps.slice(0, depth))
  }
}

/** Names the class of an object for a message: `a Date`, `a RegExp`, `an object of a class`. */
export function describeClass(object: object): string {
  const made: unknown = Object.getPrototypeOf(object)?.constructor
  const name: unknown = typeof made === 'function' ? made.name : undefined
  if (typeof name !== 'string' || !CLASS_NAME.test(name)) return 'an object of a class'
  // It inherits from another object, or comes from another realm (a vm context, a test runner).
  if (name === 'Object') return 'an object with a prototype of its own'
  return /^[AEIOaeio]/.test(name) ? `an ${name}` : `a ${name}`
}

function isIndexOf(array: readonly unknown[], name: string): boolean {
  const index = Number(name)
  return String(index) === name && Number.isInteger(index) && index >= 0 && index < array.length
}
