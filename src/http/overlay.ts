/** Properties laid over an object for a while, beside others who do the same. */

export type Method = (...args: unknown[]) => unknown

interface Layer {
  readonly name: string
  readonly laid: Method
  readonly isGetter: boolean
  /** What hid the inherited property before: nothing, as a rule. */
  readonly before: PropertyDescriptor | undefined
}

/**
 * Own properties that hide those of an object until they are lifted again.
 *
 * Lifting deletes them in reverse, so that the object keeps the shape it had and later calls cost
 * what they always cost.
 */
export class Overlay {
  readonly #target: object
  readonly #layers: Layer[] = []

  constructor(target: object) {
    this.#target = target
  }

  /** Lays a method, over which others may lay theirs. */
  method(name: string, laid: Method): void {
    this.#layers.push({ name, laid, isGetter: false, before: this.#own(name) })
    Reflect.set(this.#target, name, laid)
  }

  /**
   * Lays a value that is computed at each read. Pass the same function for all objects, which finds
   * its object in `this`: V8 makes a shape of its own for every other one.
   */
  getter(name: string, laid: (this: object) => unknown): void {
    this.#layers.push({ name, laid, isGetter: true, before: this.#own(name) })
    Object.defineProperty(this.#target, name, { get: laid, configurable: true })
  }

  /** Takes off what still lies on top. What others have laid over it since stays theirs. */
  lift(): void {
    this.#takeOff(({ name, laid, isGetter }) =>
      isGetter ? this.#own(name)?.get === laid : Reflect.get(this.#target, name) === laid,
    )
  }

  /** Takes off everything, with what others have laid over it since. */
  strip(): void {
    this.#takeOff(() => true)
  }

  #own(name: string): PropertyDescriptor | undefined {
    const isOwn = Object.hasOwn(this.#target, name)
    return isOwn ? Object.getOwnPropertyDescriptor(this.#target, name) : undefined
  }

  #takeOff(isOurs: (layer: Layer) => boolean): void {
    for (let layer = this.#layers.pop(); layer !== undefined; layer = this.#layers.pop()) {
      if (!isOurs(layer)) continue
      if (layer.before === undefined) Reflect.deleteProperty(this.#target, layer.name)
      else Object.defineProperty(this.#target, layer.name, layer.before)
    }
  }
}
