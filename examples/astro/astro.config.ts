import node from '@astrojs/node'
import { defineConfig } from 'astro/config'

export default defineConfig({
  output: 'server',
  adapter: node({ mode: 'standalone' }),
  session: false, // Astro's own, which keeps them in files
  vite: { resolve: { preserveSymlinks: true } }, // pg-sessions is a link here, and is not to be bundled
})
