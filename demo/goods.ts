export interface Good {
  readonly id: string
  readonly name: string
  readonly cents: number
}

export const goods: readonly Good[] = [
  { id: 'coffee', name: 'Coffee beans', cents: 950 },
  { id: 'mug', name: 'Stoneware mug', cents: 1400 },
  { id: 'bread', name: 'Rye bread', cents: 420 },
  { id: 'honey', name: 'Forest honey', cents: 680 },
]

const euros = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' })

export function price(cents: number): string {
  return euros.format(cents / 100)
}
