/** What came back, with the page that a redirect led to. */
export interface Visit {
  /** The first answer, before any redirect. */
  readonly answer: Response
  readonly page: string
}

/** A visitor to the demo whose client keeps its cookie, but is not a browser. */
export class Visitor {
  readonly #url: string
  /** The cookie as the client would send it; undefined for none. */
  cookie: string | undefined

  constructor(url: string) {
    this.#url = url
  }

  get(path = '/'): Promise<Visit> {
    return this.#visit(path, { method: 'GET' })
  }

  /** Sends a form as the demo's own pages do. */
  post(path: string, form: Record<string, string> = {}): Promise<Visit> {
    const headers = { Origin: this.#url }
    return this.#visit(path, { method: 'POST', headers, body: new URLSearchParams(form) })
  }

  async #visit(path: string, init: RequestInit): Promise<Visit> {
    const answer = await fetch(new URL(path, this.#url), {
      ...init,
      headers: { ...init.headers, ...(this.cookie === undefined ? {} : { Cookie: this.cookie }) },
      redirect: 'manual',
    })
    for (const line of answer.headers.getSetCookie()) {
      this.cookie = /Max-Age=0\b/.test(line) ? undefined : line.split(';')[0]
    }
    const location = answer.headers.get('location')
    const page = location === null ? await answer.text() : (await this.get(location)).page
    return { answer, page }
  }
}
