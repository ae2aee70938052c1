import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { install } from '../../scripts/install-beside.ts'
import { sharedPackage } from '../support/shared-package.ts'

const frameworks = ['express@4', 'koa@2', 'fastify@4', 'h3@1', 'hono@3', '@nestjs/common@10']

/** `npm run test:install` tries each old and new framework alone, with more package managers. */
test('npm installs the package beside old frameworks without a warning', async () => {
  const { tarball } = await sharedPackage()
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-beside-'))
  try {
    const others = [...frameworks, 'pg@8.11.0', 'reflect-metadata@0.2', 'rxjs@7']
    const { ok, output } = await install('npm', folder, [tarball, ...others])
    expect(ok, output).toBe(true)
  } finally {
    await rm(folder, { recursive: true })
  }
}, 180_000)
