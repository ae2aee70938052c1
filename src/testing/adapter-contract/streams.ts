import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { linesOf } from './browser.ts'
import { type AdapterTest, assertNewCookie, entriesOf } from './harness.ts'
import { STREAM_BYTES } from './url-script.ts'

/** Responses that take their time, and clients that do not. */
export function streamTests(test: AdapterTest): void {
  bodyTests(test)
  brokenTests(test)
  eventTests(test)
  abortTests(test)
}

function bodyTests(test: AdapterTest): void {
  test('sends a stream whole, with the cookie at its head', async ({ visitor }) => {
    const answer = await visitor().ask('/stream?set=a:1')
    assertNewCookie(answer)
    assert.equal(answer.body.length, STREAM_BYTES)
    const chunks = Array.from({ length: 64 }, (_, chunk) => answer.body[chunk * 65_536])
    assert.deepEqual(chunks, [...chunks.keys()])
  })

  test('lets a stream wait for the save without reading it into memory', async ({
    visitor,
    store,
    script,
  }) => {
    const browser = visitor()
    const call = store.hold('create')
    const asking = browser.begin('/stream?set=a:1')
    await call.reached
    for (let turn = 0; turn < 3; turn += 1) await browser.ask('/untouched')
    assert.ok(script.pulled < 32, `${script.pulled} of 64 chunks were read ahead`)
    call.release()
    assert.equal((await asking.answer).body.length, STREAM_BYTES)
  })
}

function brokenTests(test: AdapterTest): void {
  test('goes on serving when a stream fails before its first byte', async ({ regular }) => {
    const browser = await regular()
    await browser
      .twin()
      .ask('/broken-stream?set=a:1')
      .catch(() => undefined)
    assert.equal((await browser.ask('/untouched')).text, 'untouched')
    assert.equal((await browser.ask('/change?set=b:2')).text, 'changed')
  })
}

function eventTests(test: AdapterTest): void {
  test('sends the head of an event stream, with the cookie, before its events end', async ({
    visitor,
    script,
  }) => {
    const browser = visitor()
    const head = await browser.begin('/events?set=a:1').head
    assertNewCookie({ lines: (name) => linesOf(head, name) })
    const events = eventsOf(head)
    assert.equal((await events.next()).value, 'open')
    assert.deepEqual(await entriesOf(browser), { a: '1' })
    script.passGate()
    assert.equal((await events.next()).value, 'done')
    assert.equal((await events.next()).done, true)
  })

  test('keeps what a stored session is given after the head has left', async ({
    regular,
    store,
    script,
  }) => {
    const browser = await regular()
    const saved = store.next('save')
    const events = eventsOf(await browser.begin('/events?late=a:1').head)
    assert.equal((await events.next()).value, 'open')
    script.passGate()
    assert.equal((await events.next()).value, 'changed')
    assert.equal((await events.next()).value, 'done')
    assert.equal((await events.next()).done, true)
    await saved
    assert.deepEqual(await entriesOf(browser), { old: 'kept', a: '1' })
  })

  test('keeps what is set late beside what was set before the head left', async ({
    visitor,
    store,
    script,
  }) => {
    const browser = visitor()
    const saved = store.next('save')
    const events = eventsOf(await browser.begin('/events?set=a:1&late=b:2').head)
    assert.equal((await events.next()).value, 'open')
    script.passGate()
    for await (const event of events) assert.notEqual(event, 'ERR_RESPONSE_STARTED')
    await saved
    assert.deepEqual(await entriesOf(browser), { a: '1', b: '2' })
  })

  test('refuses the first value of a visitor after the head has left', async ({
    visitor,
    store,
    script,
  }) => {
    const events = eventsOf(await visitor().begin('/events?late=a:1').head)
    assert.equal((await events.next()).value, 'open')
    script.passGate()
    assert.equal((await events.next()).value, 'ERR_RESPONSE_STARTED')
    assert.equal((await events.next()).value, 'done')
    assert.deepEqual(store.calls, [])
  })
}

function abortTests(test: AdapterTest): void {
  test('finishes a save whose client has hung up, and goes on serving', async ({
    regular,
    store,
  }) => {
    const browser = await regular()
    const call = store.hold('save')
    const saved = store.next('save')
    // A tab with a connection of its own: on one used before, Deno's client sends the request again that
    // was just destroyed (denoland/deno#36786).
    const asking = browser.twin().begin('/change?set=a:1')
    await call.reached
    asking.abort()
    await assert.rejects(asking.answer)
    await browser.ask('/untouched')
    call.release()
    const again = browser.ask('/change?set=b:2')
    await saved
    assert.equal((await again).text, 'changed')
    assert.deepEqual(await entriesOf(browser), { old: 'kept', a: '1', b: '2' })
  })

  test('goes on serving when a client hangs up in the middle of a stream', async ({ visitor }) => {
    const browser = visitor()
    const asking = browser.begin('/stream?set=a:1')
    await asking.head
    asking.abort()
    assert.deepEqual(await entriesOf(browser), { a: '1' })
  })

  test('goes on serving when a client hangs up in the middle of events', async ({
    regular,
    script,
  }) => {
    const browser = await regular()
    const asking = browser.begin('/events?late=a:1')
    await eventsOf(await asking.head).next()
    asking.abort()
    script.passGate()
    assert.equal((await browser.ask('/untouched')).text, 'untouched')
    assert.equal((await browser.ask('/change?set=b:2')).text, 'changed')
  })
}

/** The events of a response, as they come. */
async function* eventsOf(head: IncomingMessage): AsyncGenerator<string> {
  let text = ''
  for await (const chunk of head) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const event = text.slice(0, end)
      text = text.slice(end + 2)
      for (const line of event.split('\n')) {
        if (line.startsWith('data: ')) yield line.slice('data: '.length)
      }
    }
  }
}
