/** What the application answered. */
export interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly result: unknown
  /** What `GET /session` tells. */
  readonly session: {
    readonly id: string | null
    readonly userId: string | null
    readonly data: Record<string, unknown>
    readonly isNew: boolean
  }
  readonly setCookies: readonly string[]
  readonly headers: Headers
}

/** A client over real HTTP with a cookie jar. Follows no redirect by itself. */
export class HttpVisitor {
  token: string | null
  readonly #urls: readonly string[]
  #turn = 0

  /** @param urls - Processes of the application, to which it turns in turn. */
  constructor(urls: readonly string[], token: string | null = null) {
    this.#urls = urls
    this.token = token
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#ask('GET', path, headers)
  }

  post(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#ask('POST', path, headers)
  }

  /** Has requests that wait at a gate go on, once so many have come, at the process they went to. */
  async openGate(gate: string, count = 1): Promise<void> {
    await this.get(`/gates/${gate}/reached/${count}`)
    await this.post(`/gates/${gate}/open`)
  }

  async session(): Promise<Answer['session']> {
    return (await this.get('/session')).session
  }

  /** Another tab, or a thief: the same token in a jar of its own. */
  twin(token: string | null = this.token): HttpVisitor {
    return new HttpVisitor(this.#urls, token)
  }

  /** The same jar's token, at one process only. */
  at(process: number): HttpVisitor {
    return new HttpVisitor([this.#urls[process] as string], this.token)
  }

  async #ask(method: string, path: string, headers: Record<string, string>): Promise<Answer> {
    const url = this.#urls[this.#turn % this.#urls.length] as string
    this.#turn += 1
    const cookie = this.token === null ? {} : { cookie: `__Host-id=${this.token}` }
    const response = await fetch(url + path, {
      method,
      headers: { ...cookie, ...headers },
      redirect: 'manual',
    })
    const text = await response.text()
    const setCookies = response.headers.getSetCookie()
    for (const setCookie of setCookies) {
      this.token = /^__Host-id=([^;]+);/.exec(setCookie)?.[1] ?? null
    }
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {}
    return {
      status: response.status,
      code: body.code as string | undefined,
      result: body.result,
      session: body as unknown as Answer['session'],
      setCookies,
      headers: response.headers,
    }
  }
}
