import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'pg'

/** Speaks Neon's HTTP protocol before a PostgreSQL server, and fails as asked. */
export interface NeonServer {
  readonly origin: string
  /** What becomes of the next statement's answer: its request ends, or this status. The statement runs before. */
  failNext(how: 'cut' | number): void
  close(): Promise<void>
}

/** The fields that Neon passes on of an error. */
const FIELDS = ['severity', 'code', 'detail', 'hint', 'position', 'table', 'column', 'constraint']

/**
 * Starts a server that answers as https://github.com/neondatabase/neon's proxy does: rows as arrays of texts, errors
 * of statements as status 400.
 */
export async function startNeonServer(databaseUrl: string): Promise<NeonServer> {
  const pool = new Pool({ connectionString: databaseUrl, max: 8 })
  let fault: 'cut' | number | null = null
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { query, params } = JSON.parse(body) as { query: string; params: string[] }
    const failing = fault
    fault = null
    const [status, content] = await run(query, params)
    if (failing === 'cut') return void request.socket.destroy()
    response.writeHead(failing ?? status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(failing === null ? content : { message: 'as asked' }))
  }
  const run = async (text: string, values: string[]): Promise<[number, unknown]> => {
    try {
      const result = await pool.query({
        text,
        values,
        rowMode: 'array',
        types: { getTypeParser: () => String },
      } as never)
      const { command, rowCount, rows, fields } = result
      return [200, { command, rowCount, rows, fields, rowAsArray: true }]
    } catch (error) {
      const all = error as Record<string, unknown> & { message: string }
      const known = Object.fromEntries(FIELDS.map((field) => [field, all[field] ?? null]))
      return [400, { ...known, message: all.message }]
    }
  }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}/sql`,
    failNext(how) {
      fault = how
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await pool.end()
    },
  }
}
