import {
  ConfigurationError,
  LimitExceededError,
  type SessionInfo,
  StoreUnavailableError,
} from 'pg-sessions'
import { describe, expect, it } from 'vitest'
import { truncatedAddress } from '../../src/session/network-address.ts'
import { eachStore } from '../support/each-store.ts'

const labels = (list: readonly SessionInfo[]) =>
  list.map(({ device, isCurrent }) => [device?.label, isCurrent])

eachStore((open) => {
  it('lists what a sign-in says of its device, and marks the current session', async () => {
    const { visitor, sessions, watched } = await open()
    const [phone, laptop] = [visitor(), visitor()]
    await phone.visit((session) => session.signIn('ann', { device: { label: 'Phone', os: 17 } }))
    expect(watched.calls).toEqual(['create', 'describe'])
    await laptop.visit((session) => session.signIn('ann'))
    await laptop.visit(async (session) => {
      await session.load()
      const list = await sessions.listByUser('ann', { current: session })
      expect(labels(list)).toEqual(
        expect.arrayContaining([
          [undefined, true],
          ['Phone', false],
        ]),
      )
      expect(labels(await sessions.listByUser('ann', { current: session.id }))).toEqual(
        labels(list),
      )
      expect(list.find(({ device }) => device !== null)?.device).toEqual({ label: 'Phone', os: 17 })
    })
    expect(labels(await sessions.listByUser('ann')).map(([, isCurrent]) => isCurrent)).toEqual([
      false,
      false,
    ])
    await phone.visit((session) => session.describe({ label: 'Old phone' }))
    const [exported] = (await sessions.exportUser('ann')).sessions.filter(({ device }) => device)
    expect(exported?.device).toEqual({ label: 'Old phone' })
    await phone.visit((session) => session.describe(null))
    expect((await sessions.listByUser('ann')).map(({ device }) => device)).toEqual([null, null])
  })

  it.each([
    [undefined, undefined],
    ['network', '203.0.113.0/24'],
    ['whole', '203.0.113.77'],
  ] as const)('keeps of an address what deviceAddress: %j says', async (deviceAddress, kept) => {
    const { visitor, sessions } = await open(deviceAddress === undefined ? {} : { deviceAddress })
    const device = { label: 'Phone', address: '203.0.113.77' }
    await visitor().visit((session) => session.signIn('ann', { device }))
    const [listed] = await sessions.listByUser('ann')
    expect(listed?.device?.address).toBe(kept)
  })

  it('refuses what is not a description or too large, and signs no user in with it', async () => {
    const { visitor, stored } = await open()
    const wrong: [unknown, typeof ConfigurationError | typeof LimitExceededError][] = [
      ['Phone', ConfigurationError],
      [[], ConfigurationError],
      [{ label: 'a\0b' }, ConfigurationError],
      [{ label: '\ud800' }, ConfigurationError],
      [{ label: {} }, ConfigurationError],
      [{ size: Number.NaN }, ConfigurationError],
      [{ label: 'é'.repeat(600) }, LimitExceededError],
    ]
    for (const [device, error] of wrong) {
      const signIn = visitor().visit((s) => s.signIn('ann', { device: device as { label: '' } }))
      await expect(signIn).rejects.toThrow(error)
    }
    await expect(visitor().visit((s) => s.describe({ label: 'a' }))).rejects.toThrow(
      ConfigurationError,
    )
    expect(await stored()).toBe(0)
  })

  it('signs in although the device could not be noted, and logs that', async () => {
    const { visitor, sessions, watched, lines } = await open()
    const ann = visitor()
    watched.fail('describe', new StoreUnavailableError('Not now.', 'none'))
    await ann.visit((session) => session.signIn('ann', { device: { label: 'Phone' } }))
    expect(labels(await sessions.listByUser('ann'))).toEqual([[undefined, false]])
    expect(lines.map(({ message }) => message)).toContain(
      'the device of a sign-in could not be noted',
    )
  })
})

describe('the network of an address', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:DB8:1::6', '2001:db8:1::/48'],
    ['fe80::1%eth0', 'fe80::/48'],
    ['::1', '::/48'],
    ['256.1.1.1', null],
    ['1.2.3', null],
    ['example.com', null],
    ['2001:db8::1]/x[', null],
    ['', null],
  ])('of %j is %j', (address, network) => {
    expect(truncatedAddress(address)).toBe(network)
  })
})
