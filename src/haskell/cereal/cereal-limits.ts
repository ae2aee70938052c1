/** What bounds the time and memory that a value may take, in both directions alike. */

/** How often a type may hold itself, one within the other: the depth of a tree. */
export const DEEPEST_RECURSION = 500

/** How many parts of a value may take no bytes at all, such as the elements of a list of units. */
export const MOST_EMPTY_PARTS = 100_000

/** The bytes that one value may take when it is encoded. */
export const LARGEST_VALUE: number = 64 * 1024 * 1024

/**
 * The bits of either half of a ratio. Reducing takes time with the square of them, so that a megabyte of
 * hostile digits would keep a process busy for minutes.
 */
export const MOST_RATIO_BITS = 4096
