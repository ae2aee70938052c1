import { defineNitroConfig } from 'nitro/config'

export default defineNitroConfig({
  preset: 'node-middleware',
  errorHandler: './error.ts',
})
