/** A client that keeps cookies by name, as far as these tests need it. */
export class Browser {
  readonly #origin: string
  readonly cookies: Map<string, string> = new Map()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Another client that has the same cookies now. */
  twin(): Browser {
    const twin = new Browser(this.#origin)
    for (const [name, value] of this.cookies) twin.cookies.set(name, value)
    return twin
  }

  async get(path: string, init: RequestInit = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(new URL(path, this.#origin), {
      redirect: 'manual',
      ...init,
      headers: { ...(cookie === '' ? {} : { cookie }) },
    })
    const setCookies = response.headers.getSetCookie()
    for (const header of setCookies) this.#keep(header)
    return {
      status: response.status,
      text: await response.text(),
      setCookies,
      location: response.headers.get('location') ?? '',
    }
  }

  /** The answer to a GET, read as JSON. */
  async json(path: string): Promise<unknown> {
    return JSON.parse((await this.get(path)).text)
  }

  #keep(header: string): void {
    const [pair = '', ...attributes] = header.split(/; */)
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const isGone = attributes.some((attribute) =>
      /^(max-age=0|expires=thu, 01 jan 1970)/i.test(attribute),
    )
    if (isGone) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly setCookies: readonly string[]
  /** Where it redirects to; empty when it does not. */
  readonly location: string
}
