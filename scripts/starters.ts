/** A framework whose page is tested in the framework's own starter, or in an empty folder where it has none. */
export interface Starter {
  /** Of its page in `docs/frameworks`, and of its stand-in in `starters/`, if it has one. */
  readonly name: string
  /** The runtime that the starter needs; its folder comes first in PATH. */
  readonly node: 'this' | 'node-24' | 'bun'
  /** The newest version that it has passed with, where no example has one. */
  readonly passed?: string
  /** Checks the types with the starter's own configuration. */
  readonly check: string
  /** What a command takes to listen on a port; none if it reads PORT. */
  readonly port?: { readonly develop?: string; readonly serve?: string }
}

/** All of them. Those that need a newer Node than 20 get one from `runtimes/`. */
export const starters: readonly Starter[] = [
  { name: 'next', node: 'this', check: 'npx tsc --noEmit' },
  { name: 'sveltekit', node: 'this', check: 'npm run check', port: { develop: '-- --port' } },
  {
    name: 'astro',
    node: 'node-24',
    check: 'npm install --no-save @astrojs/check typescript && npx astro check',
    port: { develop: '-- --port' },
  },
  {
    name: 'react-router',
    node: 'node-24',
    check: 'npm run typecheck',
    port: { develop: '-- --port' },
  },
  {
    name: 'nitro',
    node: 'this',
    check: 'npx -p typescript tsc --noEmit',
    port: { develop: '-- --port' },
  },
  {
    name: 'nuxt',
    node: 'node-24',
    passed: '4.5.2',
    check: 'npm install --no-save vue-tsc typescript && npx nuxt typecheck',
    port: { develop: '-- --port' },
  },
  {
    name: 'tanstack-start',
    node: 'node-24',
    passed: '1.169.5',
    check: 'npx tsc --noEmit',
    port: { develop: '-- --port' },
  },
  {
    name: 'solidstart',
    node: 'node-24',
    passed: '2.0.5',
    // Its declarations of Nitro name packages that the starter does not install.
    check: 'npx tsc --noEmit --skipLibCheck',
    port: { develop: '-- --port' },
  },
  { name: 'nestjs', node: 'this', check: 'npx tsc --noEmit' },
  // These have no starter: their pages begin with `npm init` and `tsc --init`, or with `bun init`.
  { name: 'express', node: 'this', check: 'npx tsc --noEmit' },
  { name: 'fastify', node: 'this', check: 'npx tsc --noEmit' },
  { name: 'koa', node: 'this', check: 'npx tsc --noEmit' },
  { name: 'hono', node: 'this', check: 'npx tsc --noEmit' },
  { name: 'h3', node: 'this', check: 'npx tsc --noEmit' },
  { name: 'node', node: 'this', check: 'npx tsc --noEmit' },
  { name: 'fetch', node: 'bun', check: 'bun x tsc --noEmit' },
  { name: 'elysia', node: 'bun', check: 'bun x tsc --noEmit' },
]
