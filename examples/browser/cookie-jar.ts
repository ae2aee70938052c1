/** The cookies of a browser that visits the shop. A real browser keeps them from scripts. */
export class CookieJar {
  readonly #cookies = new Map<string, string>()

  /** The `Cookie` field of the next request. */
  get header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Takes what a response says. */
  store(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/;\s*max-age=0\b/i.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
  }
}
