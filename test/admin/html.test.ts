import { describe, expect, test } from 'vitest'
import { html } from '../../src/admin/pages/html.ts'

const hostile = `"><script>alert(1)</script>'&`

describe('html', () => {
  test('escapes text in text and in quoted attributes', () => {
    const escaped = '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;'
    expect(String(html`<p title="${hostile}">${hostile}</p>`)).toBe(
      `<p title="${escaped}">${escaped}</p>`,
    )
  })

  test('takes markup of its own as it is, also in lists', () => {
    const items = ['<a>', '<b>'].map((item) => html`<li>${item}</li>`)
    expect(String(html`<ul>${items}${null}${false}</ul>`)).toBe(
      '<ul><li>&lt;a&gt;</li><li>&lt;b&gt;</li></ul>',
    )
  })

  test('shows characters that turn the direction of text as their codes', () => {
    expect(String(html`<p>${'a\u202Eb\u2066c\u0000'}</p>`)).toBe(
      '<p>a[U+202E]b[U+2066]c[U+0000]</p>',
    )
  })

  test.each([
    ['an attribute without quotes', () => html`<p title=${hostile}></p>`],
    ['an attribute in single quotes', () => html`<p title='${hostile}'></p>`],
    ["an attribute's name", () => html`<p ${hostile}></p>`],
    ["a tag's name", () => html`<${hostile}>`],
    ['a script', () => html`<script>${hostile}</script>`],
    ['a style', () => html`<style>a{}${hostile}</style>`],
    ['a quoted attribute after one without', () => html`<p a=b c="${hostile}"></p>`],
  ])('refuses a value in %s', (_, template) => {
    expect(template).toThrow('A value cannot stand after')
  })
})
