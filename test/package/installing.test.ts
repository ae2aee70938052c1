import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { install } from '../../scripts/install-beside.ts'
import { sharedPackage } from '../support/shared-package.ts'

/** `npm run test:install` tries each alone, with more package managers. */
test.each([
  ['old', ['express@4', 'koa@2', 'fastify@4', 'h3@1', 'hono@3', '@nestjs/common@10', 'pg@8.11.0']],
  ['new', ['express@5', 'koa@3', 'fastify@5', 'h3@2', 'hono@4', '@nestjs/common@12', 'pg@8']],
])(
  'npm installs the package beside %s frameworks without a warning',
  async (_, packages) => {
    const { tarball } = await sharedPackage()
    const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-beside-'))
    try {
      const others = [...packages, 'reflect-metadata@0.2', 'rxjs@7']
      const { ok, output } = await install('npm', folder, [tarball, ...others])
      expect(ok, output).toBe(true)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
  180_000,
)
