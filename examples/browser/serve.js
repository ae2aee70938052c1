// Serves dist/ for `npm run open`. It only sends files: the application and its database run in the browser.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const dist = join(import.meta.dirname, 'dist')
const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.data': 'application/octet-stream',
}

const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, 'http://localhost').pathname)
  const file = join(dist, path === '/' ? 'index.html' : path)
  const found = await stat(file).catch(() => null)
  const type = types[extname(file)]
  if (!found?.isFile() || type === undefined) return response.writeHead(404).end()
  response.writeHead(200, { 'content-type': type, 'content-length': found.size })
  createReadStream(file).pipe(response)
})

server.listen(Number(process.env.PORT ?? 3000), 'localhost', () => {
  console.log(`http://localhost:${server.address().port}/`)
})
