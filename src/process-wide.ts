/**
 * Gives state that all copies of this package in a process share: `import` and `require` each load one,
 * and a bundle may hold another.
 *
 * The number in the key changes when the shape of such state does, so that copies of different releases
 * do not share what they understand differently.
 *
 * @param name - The file that keeps the state.
 */
export function processWide<State extends object>(name: string, make: () => State): State {
  const key = Symbol.for(`pg-sessions.1.${name}`)
  const known: State | undefined = Reflect.get(globalThis, key)
  if (known !== undefined) return known
  const state = make()
  Object.defineProperty(globalThis, key, { value: state })
  return state
}
