import { PGlite } from '@electric-sql/pglite'
import { CookieJar } from './cookie-jar.ts'
import { type Action, type Answer, Shop } from './shop.ts'

const db = await PGlite.create()
const shop = new Shop(db)
await shop.ready()
const jar = new CookieJar()

/** Sends a request of the visitor: the cookies go along, and those of the answer are kept. */
async function send(action: Action): Promise<Answer> {
  const answer = await shop.answer(action, jar.header)
  jar.store(answer.setCookies)
  return answer
}

const actions: Readonly<Record<string, () => Promise<unknown>>> = {
  click: () => send('click'),
  // The first makes the session, and the others use it at the same time.
  many: async () => {
    await send('click')
    await Promise.all(Array.from({ length: 49 }, () => send('click')))
  },
  'sign-in': () => send('sign-in'),
  'sign-out': () => send('sign-out'),
}

function element(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement
}

async function show(): Promise<void> {
  const { userId, clicks } = await send('look')
  element('greeting').textContent = `Hello, ${userId ?? 'stranger'}. Clicks: ${clicks}.`
  element('cookie').textContent = jar.header || 'none'
  const { rows } = await db.query(
    `select s.id, s.user_id, encode(s.secret_hash, 'hex') as secret_hash,
       convert_from(d.key, 'UTF8') as key, convert_from(d.value, 'UTF8') as value
     from sessions.session s left join sessions.session_data d on d.session_id = s.id
     order by s.created_at`,
  )
  element('rows').textContent = rows.length === 0 ? 'none' : JSON.stringify(rows, null, 2)
}

const buttons = [...document.querySelectorAll('button')]

function setDisabled(isDisabled: boolean): void {
  for (const button of buttons) button.disabled = isDisabled
}

for (const button of buttons) {
  button.addEventListener('click', async () => {
    setDisabled(true)
    try {
      await actions[button.value]?.()
      await show()
    } catch (error) {
      element('greeting').textContent = `That did not work. ${error}`
    }
    setDisabled(false)
  })
}

await show()
setDisabled(false)
