/** Where an object whose prototype was replaced has a shape of its own: before version 13, in Node 20 and 22. */
const HAS_UNSHARED_SHAPES = Number.parseInt(process.versions.v8 ?? '', 10) < 13

const passing = Symbol('passing')

/**
 * Has V8 keep an object's properties in a dictionary, so that adding more of them is cheap.
 *
 * Express replaces the prototype of every request and response. From then on V8 gives the object a new
 * shape for each property that anybody adds to it: some 3 µs each, of which Express pays for a dozen at
 * every request. A property that is deleted again ends that, and costs nothing where shapes are shared.
 */
export function keepInDictionary(object: object): void {
  if (!HAS_UNSHARED_SHAPES) return
  Reflect.set(object, passing, true)
  Reflect.deleteProperty(object, passing)
}
