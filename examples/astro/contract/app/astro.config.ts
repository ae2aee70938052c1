import node from '@astrojs/node'
import { defineConfig } from 'astro/config'

export default defineConfig({
  output: 'server',
  adapter: node({ mode: 'middleware' }),
  session: { driver: { entrypoint: new URL('src/session-driver.ts', import.meta.url) } },
  cache: { provider: { entrypoint: new URL('src/cdn.ts', import.meta.url) } },
  vite: { resolve: { preserveSymlinks: true } },
})
