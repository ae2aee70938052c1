import node from '@astrojs/node'
import { defineConfig } from 'astro/config'

export default defineConfig({
  output: 'server',
  adapter: node({ mode: 'middleware' }),
  session: false,
  cache: { provider: { entrypoint: new URL('src/cdn.ts', import.meta.url) } },
  vite: { resolve: { preserveSymlinks: true } },
})
