import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCookie } from '../../src/cookie/cookie-header.ts'

const NAME = '__Host-id'
const read = (header: string): readonly string[] => readCookie(header, NAME)
const found = (value: string): readonly string[] => [value]
const absent: readonly string[] = []

describe('readCookie', () => {
  it.each<[string, string]>([
    ['alone', '__Host-id=abc'],
    ['among others', 'theme=dark; __Host-id=abc; lang=en'],
    ['without spaces', 'theme=dark;__Host-id=abc;lang=en'],
    ['between spaces and tabs', 'theme=dark; \t __Host-id \t = \tabc \t ; lang=en'],
    ['after empty and nameless parts', ';;  ; =x; y ; __Host-id=abc;'],
    ['after parts without a value', 'a; b; c; __Host-id=abc'],
  ])('finds a cookie %s', (_, header) => {
    expect(read(header)).toEqual(found('abc'))
  })

  it('gives the value as it stands, from the first = to the next semicolon', () => {
    expect(read('__Host-id=')).toEqual(found(''))
    expect(read('__Host-id=a=b==')).toEqual(found('a=b=='))
    expect(read('__Host-id=a, b "c"')).toEqual(found('a, b "c"'))
  })

  it('takes no header for no cookie', () => {
    for (const header of [null, undefined, '', ' ', ';', '=', 'x']) {
      expect(readCookie(header, NAME)).toEqual(absent)
    }
    for (const header of [['__Host-id=abc', '='], 7, {}]) {
      expect(readCookie(header as never, NAME)).toEqual(absent)
    }
  })

  it('is not misled by names of every object', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(readCookie('a=b', name)).toEqual(absent)
      expect(readCookie(`${name}=abc`, name)).toEqual(found('abc'))
      expect(readCookie(`${name}=abc; ${name}=abd`, name)).toEqual(['abc', 'abd'])
    }
  })

  it('reads 2000 cookies and ignores a header of more than 64 KiB (A-1)', () => {
    const many = Array.from({ length: 2000 }, (_, index) => `c${index}=${index}`).join('; ')
    expect(read(`${many}; __Host-id=abc`)).toEqual(found('abc'))
    const cookie = '__Host-id=abc;'
    expect(read(cookie + 'x'.repeat(65_536 - cookie.length))).toEqual(found('abc'))
    expect(read(cookie + 'x'.repeat(65_537 - cookie.length))).toEqual(absent)
    expect(read(`__Host-id=${'a;'.repeat(500_000)}`)).toEqual(absent)
  })

  it('gives each of several values once, in their order (A-2)', () => {
    expect(read('__Host-id=abc; __Host-id=abd')).toEqual(['abc', 'abd'])
    expect(read('__Host-id=abc; x=1; __Host-id=abc')).toEqual(found('abc'))
    expect(read('__Host-id=abc; __Host-id=abc; __Host-id=')).toEqual(['abc', ''])
    expect(read('__Host-id=; __Host-id=abc')).toEqual(['', 'abc'])
    expect(read('__Host-id=; __Host-id=')).toEqual(found(''))
  })

  it('takes two Cookie fields as Node joins them for one (A-3)', async () => {
    expect(await throughNode('Cookie: __Host-id=abc\r\nCookie: __Host-id=abd\r\n')).toEqual([
      'abc',
      'abd',
    ])
    expect(await throughNode('Cookie: a=1\r\nCookie: __Host-id=abc\r\n')).toEqual(found('abc'))
  })

  it('drops only spaces and tabs, so nothing else can hide before a prefix (A-4)', async () => {
    const blanks = '\u00a0\u1680\u2000\u200b\u2028\u202f\u3000\ufeff\v\f\r\n\0\u0085'
    for (const blank of blanks) {
      expect(read(`${blank}__Host-id=abc`)).toEqual(absent)
      expect(read(`a=1; ${blank}__Host-id=abc`)).toEqual(absent)
      expect(read(`__Host-id${blank}=abc`)).toEqual(absent)
      expect(read(`__Host-id=abc${blank}`)).toEqual(found(`abc${blank}`))
    }
    expect(await throughNode('Cookie: a=1; \u00a0__Host-id=abc\r\n')).toEqual(absent)
  })

  it('takes no nameless cookie for ours (A-5)', () => {
    for (const header of [
      '=__Host-id=evil',
      '__Host-id',
      '; =__Host-id=evil',
      ' = __Host-id=evil',
    ]) {
      expect(read(header)).toEqual(absent)
      expect(read(`${header}; __Host-id=abc`)).toEqual(found('abc'))
    }
  })

  it('tells names apart by case and in full (A-6)', () => {
    for (const name of ['__hOsT-id', '__HOST-ID', '__Host-i', '__Host-idd', 'x__Host-id', 'id']) {
      expect(read(`${name}=abc`)).toEqual(absent)
      expect(read(`${name}=evil; __Host-id=abc`)).toEqual(found('abc'))
    }
  })

  it('knows no quotes and no RFC 2109 attributes (A-7)', () => {
    expect(read('$Version=1; __Host-id="a; b"')).toEqual(found('"a'))
    expect(read('$Version=1; __Host-id="abc"; $Path="/"')).toEqual(found('"abc"'))
    expect(read('other="x; __Host-id=abc; y"')).toEqual(found('abc'))
  })

  it('decodes no percent signs (A-8)', () => {
    expect(read('__Host-%69d=abc')).toEqual(absent)
    expect(read('%5F_Host-id=abc')).toEqual(absent)
    expect(read('__Host-id=%41%zz')).toEqual(found('%41%zz'))
  })

  it('gives control characters, broken UTF-8 and surrogates on as they are (A-9)', () => {
    for (const odd of ['a\0b', 'a\rb', 'a\x7fb', 'Ã¼\xff', '\ud800', 'ü🍵']) {
      expect(read(`__Host-id=${odd}`)).toEqual(found(odd))
    }
  })

  it('never throws, and agrees with a plain reading of the rule (I-24)', () => {
    const pieces = fc.constantFrom(
      ...[
        '__Host-id',
        '__host-id',
        'id',
        '=',
        ';',
        '; ',
        ' ',
        '\t',
        '\u00a0',
        '"',
        '%41',
        'abc',
        '$',
        ',',
      ],
    )
    const headers = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((parts) => parts.join('')),
      fc
        .array(fc.tuple(pieces, pieces))
        .map((pairs) => pairs.map((pair) => pair.join('=')).join(';')),
    )
    fc.assert(
      fc.property(headers, (header) => {
        expect(read(header)).toEqual(plainReading(header, NAME))
      }),
      { numRuns: 5000 },
    )
  })
})

/** The rule, written down as simply as can be. */
function plainReading(header: string, name: string): readonly string[] {
  const values = new Set<string>()
  for (const pair of header.split(';')) {
    const [, found, value] = /^[ \t]*([^=]*?)[ \t]*=[ \t]*([^]*?)[ \t]*$/.exec(pair) ?? []
    if (found === name && value !== undefined) values.add(value)
  }
  return [...values]
}

/** What we read of a request that came over a real connection, its head sent as latin1. */
async function throughNode(fields: string): Promise<readonly string[]> {
  const server = createServer()
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return await new Promise((resolve, reject) => {
      server.on('request', (request, response) => {
        response.end()
        resolve(read(request.headers.cookie ?? ''))
      })
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
      client.on('error', reject)
      client.end(
        `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${fields}\r\n`,
        'latin1',
      )
    })
  } finally {
    server.close()
  }
}
