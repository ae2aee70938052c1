/** Sends a request with cookies, and keeps those that the answer sets. */
export class Browser {
  readonly #cookies = new Map<string, string>()

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** The names of the cookies that it holds. */
  get names(): readonly string[] {
    return [...this.#cookies.keys()]
  }

  /** Another one with the same cookies, as a thief or a request in flight has them. */
  copy(): Browser {
    const copy = new Browser()
    for (const [name, value] of this.#cookies) copy.#cookies.set(name, value)
    return copy
  }

  keep(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
  }

  async ask(
    handler: (request: Request) => Response | Promise<Response>,
    url: string,
    body?: { readonly type: string; readonly content: string },
  ): Promise<Response> {
    const headers = { cookie: this.cookie, origin: 'https://shop.example' }
    const request =
      body === undefined
        ? new Request(url, { headers })
        : new Request(url, {
            method: 'POST',
            headers: { ...headers, 'content-type': body.type },
            body: body.content,
          })
    const response = await handler(request)
    this.keep(response.headers.getSetCookie())
    return response
  }
}
