import { Agent, type IncomingMessage, request } from 'node:http'

/** A whole response, as it came over the wire. */
export interface Answer {
  readonly status: number
  /** The values of all lines with this name. */
  lines(name: string): string[]
  readonly body: Buffer
  readonly text: string
}

/** A request under way. */
export interface Asking {
  /** The response's head, when it has arrived. */
  readonly head: Promise<IncomingMessage>
  /** Whether anything of the response has arrived. */
  readonly hasHead: boolean
  readonly answer: Promise<Answer>
  /** Hangs up. */
  abort(): void
}

/** What a request has besides its path. */
export interface AskOptions {
  readonly method?: string
  /** Several values of a name become lines of their own. */
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

/** The values of all header lines of a head with this name. */
export function linesOf(head: IncomingMessage, name: string): string[] {
  return head.headersDistinct[name.toLowerCase()] ?? []
}

/** A client with a cookie jar, over plain `node:http`, so that every header line is seen. */
export class Browser {
  readonly #origin: string
  readonly #agent: Agent
  readonly #jar: Map<string, string>

  constructor(origin: string, jar: Iterable<readonly [string, string]> = []) {
    this.#origin = origin
    this.#agent = new Agent({ keepAlive: true, maxSockets: 50 })
    this.#jar = new Map(jar)
  }

  /** Another client with the same cookies, such as a second tab that has not heard of what follows. */
  twin(): Browser {
    return new Browser(this.#origin, this.#jar)
  }

  /** The cookie's value; undefined for none. */
  cookie(name: string = '__Host-id'): string | undefined {
    return this.#jar.get(name)
  }

  /** Makes a request, and does with the cookies of its response what a browser does. */
  ask(path: string, options: AskOptions = {}): Promise<Answer> {
    return this.begin(path, options).answer
  }

  /** Makes a request without waiting for it. */
  begin(path: string, { method = 'GET', headers = {}, body }: AskOptions = {}): Asking {
    const cookie = [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const sent = request(new URL(path, this.#origin), {
      method,
      agent: this.#agent,
      headers: { ...(cookie === '' ? {} : { cookie }), ...headers },
    })
    let hasHead = false
    const head = new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('error', reject)
      sent.on('response', (response) => {
        hasHead = true
        for (const line of linesOf(response, 'set-cookie')) this.#obey(line)
        resolve(response)
      })
    })
    head.catch(() => undefined)
    sent.end(body)
    return {
      head,
      get hasHead() {
        return hasHead
      },
      get answer() {
        return head.then(readAnswer)
      },
      abort: () => void sent.destroy(),
    }
  }

  /** Lets go of its connections. */
  close(): void {
    this.#agent.destroy()
  }

  #obey(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '') this.#jar.delete(name)
    else this.#jar.set(name, value)
  }
}

async function readAnswer(head: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of head) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  return {
    status: head.statusCode ?? 0,
    lines: (name) => linesOf(head, name),
    body,
    text: body.toString(),
  }
}
