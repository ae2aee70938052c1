// SvelteKit takes every request for https, unless a header that PROTOCOL_HEADER names says otherwise.
import { createServer } from 'node:http'
import { handler } from './build/handler.js'

createServer((request, response) => {
  request.headers['x-forwarded-proto'] = 'http' // as on localhost
  handler(request, response)
}).listen(Number(process.env.PORT ?? 3000), 'localhost')
