/** A framework whose page is tested in the framework's own starter. */
export interface Starter {
  /** Of its page in `docs/frameworks`, and of its stand-in in `starters/`, if it has one. */
  readonly name: string
  /** The runtime that the starter needs. */
  readonly node: 'this' | 'node-24'
  /** Checks the types with the starter's own configuration. */
  readonly check: string
  /** What a command takes to listen on a port; none if it reads PORT. */
  readonly port?: { readonly develop?: string; readonly serve?: string }
}

/** All of them. Those that need a newer Node than 20 get one from `runtimes/`. */
export const starters: readonly Starter[] = [
  { name: 'next', node: 'this', check: 'npx tsc --noEmit' },
  { name: 'sveltekit', node: 'this', check: 'npm run check', port: { develop: '-- --port' } },
]
