import { posix } from 'node:path'
import ts from 'typescript'

/** A module for `require`, and what it takes from packages that have no such form. */
export interface CommonJsModule {
  readonly code: string
  /** Files that it loads, as their specifiers say. */
  readonly files: readonly string[]
  /** Names that it takes from packages that only have ES modules. */
  readonly bundled: ReadonlyMap<string, readonly string[]>
}

/** A statement of an ES module that this build does not know. */
export class ModuleFormError extends Error {}

/**
 * Writes an ES module of this package for `require`. Only the lines that import and export change: all other text stays as
 * it is, so that both copies of a module compress to little more than one.
 *
 * Imports become constants, which no cycle of modules may need before they are set; `npm run check -- house` refuses cycles.
 *
 * @param module - Its path below `dist`: `http/index.js`.
 * @param bundled - Packages that only have ES modules. `require` gets them from `dist/cjs/bundled`.
 */
export function toCommonJs(
  module: string,
  text: string,
  bundled: ReadonlySet<string>,
): CommonJsModule {
  const writer = new ModuleWriter(module, bundled)
  const source = ts.createSourceFile(module, text, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS)
  let code = ''
  let end = 0
  for (const statement of source.statements) {
    const start = statement.getStart(source)
    code += text.slice(end, start) + writer.write(statement, text.slice(start, statement.end))
    end = statement.end
  }
  code += text.slice(end)
  return {
    code: `"use strict";Object.defineProperty(exports,"__esModule",{value:true});${writer.urlOf(code)}\n${writer.exports()}\n`,
    files: writer.files,
    bundled: writer.bundled,
  }
}

class ModuleWriter {
  readonly files: string[] = []
  readonly bundled = new Map<string, readonly string[]>()
  readonly #module: string
  readonly #onlyEs: ReadonlySet<string>
  readonly #exports: string[] = []

  constructor(module: string, onlyEs: ReadonlySet<string>) {
    this.#module = module
    this.#onlyEs = onlyEs
  }

  write(statement: ts.Statement, text: string): string {
    if (ts.isImportDeclaration(statement)) return this.#import(statement, text)
    if (ts.isExportDeclaration(statement)) return this.#export(statement, text)
    if (ts.isExportAssignment(statement)) throw this.#unknown(text)
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (!isExported) return text
    for (const name of this.#declared(statement, text))
      this.#exports.push(`exports.${name}=${name}`)
    return text.replace(/^export\s*/, '')
  }

  /** The end of the module, once its values are there. */
  exports(): string {
    return this.#exports.map((line) => `${line};`).join('')
  }

  urlOf(code: string): string {
    return code.replaceAll('import.meta.url', 'require("node:url").pathToFileURL(__filename).href')
  }

  #import({ importClause, moduleSpecifier }: ts.ImportDeclaration, text: string): string {
    const bindings = importClause?.namedBindings
    const names = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : []
    const from = this.#require(moduleSpecifier, names)
    if (importClause === undefined) return `${from};`
    if (bindings !== undefined && ts.isNamespaceImport(bindings)) {
      return `const ${bindings.name.text}=${from};`
    }
    if (importClause.name !== undefined) {
      if (names.length > 0) throw this.#unknown(importClause.name.text)
      return `const ${importClause.name.text}=(m=>m.__esModule?m.default:m)(${from});`
    }
    const [, wanted = ''] = /(\{.*\})/s.exec(text) ?? []
    return `const${wanted.replaceAll(' as ', ':')}=${from};`
  }

  #export({ exportClause, moduleSpecifier }: ts.ExportDeclaration, text: string): string {
    if (exportClause === undefined) throw this.#unknown(text)
    if (ts.isNamespaceExport(exportClause)) {
      if (moduleSpecifier === undefined) throw this.#unknown(text)
      return `exports.${exportClause.name.text}=${this.#require(moduleSpecifier, [])};`
    }
    const names = exportClause.elements.map(({ name, propertyName }) => ({
      name: name.text,
      local: (propertyName ?? name).text,
    }))
    if (moduleSpecifier === undefined) {
      for (const { name, local } of names) this.#exports.push(`exports.${name}=${local}`)
      return ''
    }
    if (names.length === 0) return ''
    const from = this.#require(moduleSpecifier, exportClause.elements)
    return `{const m=${from};${names.map(({ name, local }) => `exports.${name}=m.${local};`).join('')}}`
  }

  #require(
    specifier: ts.Expression,
    names: ReadonlyArray<{
      readonly name: ts.ModuleExportName
      readonly propertyName?: ts.ModuleExportName | undefined
    }>,
  ): string {
    if (!ts.isStringLiteral(specifier)) throw this.#unknown('a specifier')
    const { text } = specifier
    if (text.startsWith('.')) this.files.push(text)
    if (!this.#onlyEs.has(text)) return `require(${JSON.stringify(text)})`
    const known = this.bundled.get(text) ?? []
    this.bundled.set(text, [
      ...known,
      ...names.map(({ name, propertyName }) => (propertyName ?? name).text),
    ])
    const path = posix.relative(posix.dirname(this.#module), `bundled/${text}.js`)
    return `require(${JSON.stringify(path.startsWith('.') ? path : `./${path}`)})`
  }

  #declared(statement: ts.Statement, text: string): string[] {
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      if (statement.name !== undefined) return [statement.name.text]
    }
    if (ts.isVariableStatement(statement)) {
      const { declarations, flags } = statement.declarationList
      const names = declarations.map(({ name }) => name)
      if ((flags & ts.NodeFlags.Const) !== 0 && names.every(ts.isIdentifier)) {
        return names.map(({ text: name }) => name)
      }
    }
    throw this.#unknown(text)
  }

  #unknown(text: string): ModuleFormError {
    return new ModuleFormError(`${this.#module}: no form for require of "${text.slice(0, 80)}"`)
  }
}
