import assert from 'node:assert/strict'

/** What the server's mode asks of the cookie. */
export interface CookieExpectation {
  /** Sent over https only. A development server's is not. */
  readonly isSecure: boolean
}

/**
 * Looks at a page as a stranger, signs in by its form, looks again, and signs out, with what a browser
 * without JavaScript sends. The cookie of the login is dead afterwards.
 */
export async function playLogin(origin: string, { isSecure }: CookieExpectation): Promise<void> {
  const visitor = new Visitor(origin)
  await visitor.expectGreeting('stranger')
  assert.deepEqual(visitor.cookies, [], 'A visitor who only looks has a cookie.')
  await visitor.press('Sign in')
  await visitor.expectGreeting('ann')
  const [cookie = ''] = visitor.cookies
  assert.match(cookie, isSecure ? /^__Host-id=.*; Secure/ : /^id=(?!.*; Secure)/)
  const twin = visitor.twin()
  await twin.expectGreeting('ann')
  await visitor.press('Sign out')
  await visitor.expectGreeting('stranger')
  await twin.expectGreeting('stranger')
}

/**
 * Signs in by the page's form while the database cannot be reached: the answer must not look like a success, with a
 * redirect or a cookie.
 */
export async function playLoginWithoutDatabase(origin: string): Promise<void> {
  const visitor = new Visitor(origin)
  const { status } = await visitor.submit('Sign in')
  assert.ok(status >= 500, `Without a database, "Sign in" answers ${status}.`)
  assert.deepEqual(visitor.cookies, [], 'A sign-in without a database gives a cookie.')
}

class Visitor {
  readonly #origin: string
  /** The `Set-Cookie` line of each cookie. */
  readonly #jar: Map<string, string>

  constructor(origin: string, jar: Iterable<readonly [string, string]> = []) {
    this.#origin = origin
    this.#jar = new Map(jar)
  }

  get cookies(): string[] {
    return [...this.#jar.values()]
  }

  twin(): Visitor {
    return new Visitor(this.#origin, this.#jar)
  }

  async expectGreeting(name: string): Promise<void> {
    const text = (await this.#page()).replaceAll(/<!--.*?-->|<[^>]*>/gs, '')
    const [, greeted] = /Hello, (\w+)/.exec(text) ?? []
    assert.equal(greeted, name, text)
  }

  /** Submits the form of a button, and follows the redirect. */
  async press(label: string): Promise<void> {
    const answer = await this.submit(label)
    const text = await answer.text()
    assert.ok([302, 303].includes(answer.status), `"${label}" answers ${answer.status}: ${text}`)
    const next = await this.#ask(answer.headers.get('location') ?? '')
    assert.equal(next.status, 200, await next.text())
  }

  /** Sends the form of a button with its hidden fields. */
  async submit(label: string): Promise<Response> {
    const page = await this.#page()
    const forms = page.match(/<form\b.*?<\/form>/gs) ?? []
    const form = forms.find((text) => new RegExp(`<button[^>]*>\\s*${label}\\s*<`).test(text))
    assert.ok(form, `There is no form with the button "${label}":\n${page}`)
    const [button = ''] = new RegExp(`<button[^>]*>(?=\\s*${label}\\s*<)`).exec(form) ?? []
    const [tag = ''] = /<form[^>]*>/.exec(form) ?? []
    const action = attribute(button, 'formaction') ?? attribute(tag, 'action') ?? '/'
    const fields = [...(form.match(/<input[^>]*>/g) ?? []), button].flatMap(fieldOf)
    const isMultipart = attribute(tag, 'enctype') === 'multipart/form-data'
    return this.#ask(action, {
      method: 'POST',
      body: isMultipart ? dataOf(fields) : new URLSearchParams(fields),
      headers: { Origin: this.#origin, 'Sec-Fetch-Site': 'same-origin' },
    })
  }

  async #page(): Promise<string> {
    const answer = await this.#ask('/')
    const page = await answer.text()
    assert.equal(answer.status, 200, page)
    return page
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = this.cookies.map((line) => line.split(';')[0]).join('; ')
    const headers = { ...init.headers, Accept: 'text/html', Cookie: cookie }
    const url = new URL(path, this.#origin)
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.#jar.delete(name)
      else this.#jar.set(name, line)
    }
    return answer
  }
}

function attribute(tag: string, name: string): string | undefined {
  const [, value] = new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag) ?? []
  return value?.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#x27;', "'")
}

function fieldOf(tag: string): [name: string, value: string][] {
  const name = attribute(tag, 'name')
  return name === undefined ? [] : [[name, attribute(tag, 'value') ?? '']]
}

function dataOf(fields: ReadonlyArray<readonly [string, string]>): FormData {
  const data = new FormData()
  for (const [name, value] of fields) data.append(name, value)
  return data
}
