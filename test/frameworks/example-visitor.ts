import assert from 'node:assert/strict'

/** What the page of an example says. */
export interface Sight {
  readonly name: string
  readonly clicks: number
}

/** A visitor who looks at an example's page and presses its buttons, as a browser does. */
export class ExampleVisitor {
  readonly #origin: string
  readonly #jar: Map<string, string>

  constructor(origin: string, jar: Iterable<readonly [string, string]> = []) {
    this.#origin = origin
    this.#jar = new Map(jar)
  }

  /** The `Cookie` field of the next request. */
  get cookies(): string {
    return [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Another who has the same cookies now. */
  twin(): ExampleVisitor {
    return new ExampleVisitor(this.#origin, this.#jar)
  }

  /** Reads `Hello, ann. Clicks: 3.` off the page, whatever tags and comments stand between. */
  async look(): Promise<Sight> {
    const text = (await this.#page()).replaceAll(/<!--.*?-->|<[^>]*>/gs, '')
    const [, name = '', clicks] = /Hello, (\w+)\.\s*Clicks: (\d+)\./.exec(text) ?? []
    assert.ok(clicks, `The page says neither name nor clicks: ${text}`)
    return { name, clicks: Number(clicks) }
  }

  /** Sends the form of a button, and follows the redirect that answers it. */
  async press(button: string): Promise<void> {
    const page = await this.#page()
    const [tag = ''] = new RegExp(`<button[^>]*>(?=${button}<)`).exec(page) ?? []
    const [, action] = / formaction="([^"]*)"/i.exec(tag) ?? []
    assert.ok(action, `The page has no button "${button}" with a formaction.`)
    const answer = await this.#ask(action.replaceAll('&amp;', '&'), {
      method: 'POST',
      body: new URLSearchParams({ button }),
      headers: { Origin: this.#origin, 'Sec-Fetch-Site': 'same-origin' },
    })
    assert.ok([302, 303].includes(answer.status), `${answer.status} ${await answer.text()}`)
    assert.equal((await this.#ask(answer.headers.get('location') ?? '')).status, 200)
  }

  async #page(): Promise<string> {
    const answer = await this.#ask('/')
    const page = await answer.text()
    assert.equal(answer.status, 200, page)
    return page
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...init.headers, Accept: 'text/html', Cookie: this.cookies }
    const url = new URL(path, this.#origin)
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.#jar.delete(name)
      else this.#jar.set(name, value)
    }
    return answer
  }
}
