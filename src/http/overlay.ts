/** Properties laid over an object for a while, beside others who do the same. */

export type Method = (...args: unknown[]) => unknown

interface Layer {
  readonly name: string
  readonly laid: Method
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

  /** Lays a method. It stays writable, because others may lay theirs over it. */
  method(name: string, laid: Method): void {
    this.#lay(name, laid, { value: laid, writable: true, configurable: true })
  }

  /** Lays a value that is computed at each read. */
  getter(name: string, laid: () => unknown): void {
    this.#lay(name, laid, { get: laid, configurable: true })
  }

  /** Takes off what still lies on top. What others have laid over it since stays theirs. */
  lift(): void {
    this.#takeOff((layer, current) => current?.value === layer.laid || current?.get === layer.laid)
  }

  /** Takes off everything, with what others have laid over it since. */
  strip(): void {
    this.#takeOff(() => true)
  }

  #lay(name: string, laid: Method, descriptor: PropertyDescriptor): void {
    const before = Object.getOwnPropertyDescriptor(this.#target, name)
    Object.defineProperty(this.#target, name, descriptor)
    this.#layers.push({ name, laid, before })
  }

  #takeOff(isOurs: (layer: Layer, current: PropertyDescriptor | undefined) => boolean): void {
    for (let layer = this.#layers.pop(); layer !== undefined; layer = this.#layers.pop()) {
      if (!isOurs(layer, Object.getOwnPropertyDescriptor(this.#target, layer.name))) continue
      if (layer.before === undefined) Reflect.deleteProperty(this.#target, layer.name)
      else Object.defineProperty(this.#target, layer.name, layer.before)
    }
  }
}
