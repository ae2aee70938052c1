import type { NextConfig } from 'next'

const config: NextConfig = {
  // As they are: their modules are not copied into each of the bundles that Next makes.
  serverExternalPackages: ['pg', 'pg-sessions'],
}

export default config
