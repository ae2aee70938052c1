import type { Request } from 'express'
import type { Session, Sessions } from 'pg-sessions'

/** What a session of this shop holds. Each key is a row of its own in the database. */
export interface ShopData {
  /** How many of each of the goods, by their ids. */
  basket: Basket
  /** Where the shop delivers to. */
  address: string
  /** How many of the concurrent clicks `update` counted. */
  countedByUpdate: number
  /** How many of them `get` and `set` counted. */
  countedBySet: number
  /** The start of the token's hash before the last sign-in or rotation, shown once. */
  formerHash: string
  /** A message for the next page, shown once. */
  notice: string
}

export type Basket = Readonly<Record<string, number>>

/** What the routes share. */
export interface Shop {
  readonly sessions: Sessions<ShopData>
  /** The request's session, with the types of `ShopData`. */
  sessionOf(request: Request): Session<ShopData>
}
