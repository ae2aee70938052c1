import type { MutantGroup } from './mutant.ts'

const PAGE = 'test/admin/admin-page.test.ts'

/** The admin page. */
export const adminMutants: readonly MutantGroup[] = [
  {
    file: 'src/admin/authorize.ts',
    tests: [PAGE],
    mutants: [
      {
        without: 'refusing an empty name',
        from: "typeof decision === 'string' && decision.trim() !== ''",
        to: "typeof decision === 'string'",
      },
      {
        without: 'refusing true, with which no name is logged',
        from: "typeof decision === 'string' && decision.trim() !== ''",
        to: "(typeof decision === 'string' && decision.trim() !== '') || decision === true",
      },
    ],
  },
  {
    file: 'src/admin/administrator.ts',
    tests: [PAGE],
    mutants: [
      {
        without: 'refusing forms of other sites',
        from: 'if (error instanceof CrossSiteError) return this.#refused(actor)\n      throw error',
        to: '',
      },
      {
        without: 'comparing the token of the form',
        from: "if (!this.#tokens.accepts(cookies, actor, action, form.get('token')))",
        to: 'if (cookies === undefined)',
      },
    ],
  },
  {
    file: 'src/admin/form-token.ts',
    tests: [PAGE],
    mutants: [
      {
        without: 'binding the token to the administrator',
        from: 'JSON.stringify([actor, kind, target])',
        to: 'JSON.stringify([actor.length, kind, target])',
      },
      {
        without: 'binding the token to the target',
        from: 'JSON.stringify([actor, kind, target])',
        to: 'JSON.stringify([actor, kind])',
      },
      {
        without: 'refusing two keys, one of which may be planted',
        from: 'others.length === 0 && ',
        to: '',
      },
    ],
  },
  {
    file: 'src/admin/views.ts',
    tests: [PAGE],
    mutants: [
      {
        without: 'asking whether a value may be shown',
        from: 'return this.#showValue(value) === true',
        to: 'return value.actor !== undefined',
      },
    ],
  },
  {
    file: 'src/admin/pages/html.ts',
    tests: ['test/admin/html.test.ts'],
    mutants: [
      {
        without: 'escaping text',
        from: 'escapeText(String(content))',
        to: 'String(content)',
      },
      {
        without: 'refusing a value where escaping does not help',
        from: 'if (!checked.has(strings)) checkPlaces(strings)',
        to: 'if (strings.length === 0) checkPlaces(strings)',
      },
    ],
  },
]
