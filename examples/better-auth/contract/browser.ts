import type { Application } from './application.ts'

/** A browser of a visitor, with the cookies that it was given. */
export class Browser {
  readonly #cookies = new Map<string, string>()

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** The token of the session, which only better-auth's cookie holds. */
  get token(): string {
    const [, value = ''] = [...this.#cookies].find(([name]) => /session_token$/.test(name)) ?? []
    return decodeURIComponent(value).split('.')[0] ?? ''
  }

  /** Another one with the same cookies, as a thief has it. */
  copy(): Browser {
    const copy = new Browser()
    for (const [name, value] of this.#cookies) copy.#cookies.set(name, value)
    return copy
  }

  async ask(application: Application, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${application.origin}/api/auth${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        cookie: this.cookie,
        origin: 'http://localhost',
        'x-forwarded-for': '192.0.2.1',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    const text = await response.text()
    return { status: response.status, content: text === '' ? null : JSON.parse(text) }
  }
}

export interface Answer {
  readonly status: number
  // What an answer holds is for each test to say.
  readonly content: Record<string, unknown> | null
}
