import node from '@astrojs/node'
import { defineConfig } from 'astro/config'

export default defineConfig({
  output: 'server',
  adapter: node({ mode: 'standalone' }),
  session: false, // Astro's own, which keeps them in files
  vite: { ssr: { external: ['pg-sessions'] } }, // here it is a link, and Vite bundles what is linked
})
