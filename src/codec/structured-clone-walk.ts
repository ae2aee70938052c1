/** Finds what the structured clone codec would not give back as it was. */

import { type PathStep, quoted } from './value-path.ts'
import { DEEPEST_NESTING, describeClass, ValueWalk } from './value-walk.ts'

const VIEW_PROTOTYPES: ReadonlySet<unknown> = new Set<unknown>(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
  ].map((view) => view.prototype),
)

/**
 * Checks one value for the structured clone codec.
 *
 * Own properties added to a typed array are not looked for: listing them would mean to
 * make a string of every index.
 */
export class StructuredCloneWalk extends ValueWalk {
  /** What was visited before is written as a reference, so cycles end here. */
  readonly #seen: Set<object> = new Set()

  override visit(value: unknown, depth: number): void {
    if (typeof value === 'function' || typeof value === 'symbol') {
      this.refuse(depth, `is a ${typeof value}, which cannot be stored.`)
    }
    if (typeof value !== 'object' || value === null || this.#seen.has(value)) return
    this.#seen.add(value)
    if (depth >= DEEPEST_NESTING) {
      this.refuse(0, `is nested more than ${DEEPEST_NESTING} levels deep.`)
    }
    this.#visitObject(value, depth)
  }

  protected override visitName(name: string, depth: number): void {
    if (name === '__proto__') {
      this.refuse(depth, 'cannot be stored in this format: rename it, or use jsonCodec.')
    }
  }

  #visitObject(object: object, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(object)
    if (prototype === Object.prototype || prototype === null) {
      this.visitProperties(object, depth)
    } else if (Array.isArray(object) && prototype === Array.prototype) {
      this.#visitElements(object, depth)
    } else if (object instanceof Map && prototype === Map.prototype) {
      this.#refuseProperties(object, depth)
      this.#visitMap(object, depth)
    } else if (object instanceof Set && prototype === Set.prototype) {
      this.#refuseProperties(object, depth)
      let index = 0
      for (const member of object) this.step(nth('values', index++), depth, member)
    } else if (prototype === Date.prototype || prototype === ArrayBuffer.prototype) {
      this.#refuseProperties(object, depth)
      if (object instanceof ArrayBuffer) this.#refuseResizable(object, depth)
    } else if (object instanceof RegExp && prototype === RegExp.prototype) {
      this.#visitRegExp(object, depth)
    } else if (ArrayBuffer.isView(object) && VIEW_PROTOTYPES.has(prototype)) {
      this.#visitView(object, depth)
    } else {
      this.refuse(
        depth,
        `is ${describeClass(object)}, which would not come back as one: store plain data.`,
      )
    }
  }

  #visitElements(array: readonly unknown[], depth: number): void {
    // Not up to the length: a sparse array may claim four thousand million elements.
    const names = Object.keys(array)
    this.refuseExtras(array, names, depth)
    for (const name of names) this.step(Number(name), depth, array[Number(name)])
  }

  #visitMap(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    let index = 0
    for (const [key, value] of map) {
      this.step(nth('keys', index++), depth, key)
      this.step(
        { code: `.get(${typeof key === 'string' ? quoted(key) : typeof key})` },
        depth,
        value,
      )
    }
  }

  #visitRegExp(pattern: RegExp, depth: number): void {
    if (Reflect.ownKeys(pattern).length > 1) {
      this.refuse(depth, 'has properties of its own, which would be left out.')
    }
    if (pattern.lastIndex !== 0) {
      this.refuse(depth, 'has a lastIndex, which would be left out: set it to 0.')
    }
  }

  #visitView(view: ArrayBufferView, depth: number): void {
    this.refuseSymbols(view, depth)
    const { buffer } = view
    if (!(buffer instanceof ArrayBuffer)) {
      this.refuse(depth, 'is a view of shared memory: store a copy, value.slice().')
    }
    // The whole buffer would be written, and with it whatever else lies there, which in the pool of
    // Node's Buffer is other requests' data.
    if (view.byteLength !== buffer.byteLength) {
      this.refuse(depth, 'is a view of a part of a larger buffer: store a copy, value.slice().')
    }
    this.#refuseProperties(buffer, depth)
    this.#refuseResizable(buffer, depth)
  }

  #refuseProperties(object: object, depth: number): void {
    if (Reflect.ownKeys(object).length > 0) {
      this.refuse(depth, 'has properties of its own, which would be left out.')
    }
  }

  #refuseResizable(buffer: ArrayBuffer, depth: number): void {
    // ES2024; the ES2023 type library does not name it.
    if ((buffer as ArrayBuffer & { resizable?: boolean }).resizable === true) {
      this.refuse(depth, 'is a resizable buffer, which would come back as one of fixed length.')
    }
  }
}

function nth(method: 'keys' | 'values', index: number): PathStep {
  return { code: `.${method}()[${index}]` }
}
