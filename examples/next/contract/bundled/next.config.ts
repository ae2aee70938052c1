import type { NextConfig } from 'next'

const config: NextConfig = {
  // No `serverExternalPackages`: what Next bundles unless told otherwise.
  output: 'standalone',
}

export default config
