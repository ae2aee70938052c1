import assert from 'node:assert/strict'
import { ask, askOne, type DriverTest } from './harness.ts'

const ECHO = 'select $1::text as echo'

/** What goes in comes out, as text. */
export function textTests(test: DriverTest): void {
  const samples = {
    'an empty text': '',
    'quotes, backslashes and line ends': `it's "so" \\ and \r\n\t$1 ; -- '`,
    'text from all planes of Unicode': 'zß水🦊\u{10ffff}\u200d\ufeff',
    'text that looks like null': 'null',
    'one megabyte of text': 'pages '.repeat(2 ** 20 / 6),
  }
  for (const [what, sample] of Object.entries(samples)) {
    test(`gives back ${what} as it was`, async ({ driver }) => {
      assert.equal(await askOne(driver, ECHO, [sample]), sample)
    })
  }

  test('gives back null as null', async ({ driver }) => {
    assert.deepEqual(await ask(driver, ECHO, [null]), [{ echo: null }])
  })

  test('refuses a NUL, which PostgreSQL text cannot hold', async ({ driver }) => {
    await assert.rejects(ask(driver, ECHO, ['a\0b']), { code: '22021' })
    assert.equal(await askOne(driver, ECHO, ['ab']), 'ab')
  })

  test('leaves every type to the statement, whatever the client does to types', async ({
    driver,
  }) => {
    const text = `select
      ($1::timestamptz at time zone 'UTC')::text as instant,
      $2::bytea::text as bytes,
      $3::int8::text as number,
      $4::boolean::text as flag,
      $5::json::text as document,
      $6::text[]::text as list`
    const values = [
      '2020-02-03 04:05:06.789012+00',
      '\\x00ff',
      '9007199254740993',
      'true',
      '{"a":[1]}',
      '{a,"b c"}',
    ]
    assert.deepEqual(await ask(driver, text, values), [
      {
        instant: '2020-02-03 04:05:06.789012',
        bytes: '\\x00ff',
        number: '9007199254740993',
        flag: 'true',
        document: '{"a":[1]}',
        list: '{a,"b c"}',
      },
    ])
  })

  test('gives all rows in order, under the names of the statement', async ({ driver }) => {
    const text = `select n::text as row_number, null::text as "other"
      from generate_series(1, $1::int) as n order by n`
    assert.deepEqual(await ask(driver, text, ['3']), [
      { row_number: '1', other: null },
      { row_number: '2', other: null },
      { row_number: '3', other: null },
    ])
  })

  test('gives no rows where there are none', async ({ driver }) => {
    assert.deepEqual(await ask(driver, 'select 1::text as one where false'), [])
    assert.deepEqual(await ask(driver, 'do $$ begin end $$'), [])
  })
}

/** A name stands for one text, however often and wherever it is used. */
export function nameTests(test: DriverTest): void {
  test('runs a statement again and again under its name', async ({ driver }) => {
    for (let round = 0; round < 10; round += 1) {
      assert.equal(await askOne(driver, ECHO, [String(round)]), String(round))
    }
  })

  test('runs a statement 50 times at once under one name', async ({ driver }) => {
    const sent = Array.from({ length: 50 }, (_, index) => `value ${index}`)
    const echoes = await Promise.all(sent.map((value) => askOne(driver, ECHO, [value])))
    assert.deepEqual(echoes, sent)
  })

  test('runs 50 different statements at once', async ({ driver }) => {
    const numbers = Array.from({ length: 50 }, (_, index) => String(index))
    const answers = await Promise.all(
      numbers.map((number) => askOne(driver, `select (${number} + $1::int)::text as sum`, ['0'])),
    )
    assert.deepEqual(answers, numbers)
  })
}
