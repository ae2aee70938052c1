import { CookieJar } from 'tough-cookie'

/** A page, after all redirects. */
interface Page {
  readonly url: string
  readonly status: number
  readonly text: string
}

/** A browser that follows redirects over several sites, and keeps each one's cookies. */
export class Browser {
  readonly #jar = new CookieJar()

  setCookie(cookie: string, url: string): Promise<unknown> {
    return this.#jar.setCookie(cookie, url)
  }

  async open(url: string, init: RequestInit = {}): Promise<Page> {
    const cookie = await this.#jar.getCookieString(url)
    const headers = { ...(cookie === '' ? {} : { cookie }) }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const header of response.headers.getSetCookie()) await this.#jar.setCookie(header, url)
    const location = response.headers.get('location')
    if (location !== null) return this.open(new URL(location, url).href)
    return { url, status: response.status, text: await response.text() }
  }
}
