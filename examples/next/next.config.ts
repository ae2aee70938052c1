import type { NextConfig } from 'next'

const config: NextConfig = {
  cacheComponents: true, // as create-next-app sets it
  // As they are: their modules are not copied into each of the bundles that Next makes.
  serverExternalPackages: ['pg', 'pg-sessions'],
}

export default config
