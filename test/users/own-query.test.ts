import { describe, expect, test } from 'vitest'
import { bindUserId } from '../../src/postgres/user/own-query.ts'

const bind = (query: string): string => bindUserId('user', query, 's.user_id')

describe('the user id stands in place of each $1, and nothing else changes', () => {
  test.each([
    ['select * from u where id = $1', 'select * from u where id = s.user_id'],
    ['select $1, $1 from u', 'select s.user_id, s.user_id from u'],
    [`select '$1', id from u where id = $1`, `select '$1', id from u where id = s.user_id`],
    [`select "a$1" from u where id=$1::int`, `select "a$1" from u where id=s.user_id::int`],
    [`select $$ $1 ) ; $$ from u where id=$1`, `select $$ $1 ) ; $$ from u where id=s.user_id`],
    [`select $a$ $1 $$ $a$, $1`, `select $a$ $1 $$ $a$, s.user_id`],
    [`select E'\\'$1' from u where id = $1`, `select E'\\'$1' from u where id = s.user_id`],
    [`select 'it''s $1' from u where id = $1`, `select 'it''s $1' from u where id = s.user_id`],
    [`select 1 -- $1 ; )\nfrom u where id = $1`, `select 1 -- $1 ; )\nfrom u where id = s.user_id`],
    [`select 1 /* $1 ' */ from u where id = $1`, `select 1 /* $1 ' */ from u where id = s.user_id`],
    ['select a$1 from u where id = $1', 'select a$1 from u where id = s.user_id'],
    ['  with a as (select $1) select * from a;  ', 'with a as (select s.user_id) select * from a'],
  ])('%s', (query, bound) => {
    expect(bind(query)).toBe(bound)
  })
})

test.each([
  ['select 1', 'every user would be the same one'],
  [`select '$1'`, 'every user would be the same one'],
  ['select $1, $2', 'It uses $2'],
  ['select $10', 'It uses $10'],
  ['select $1; delete from u', 'several statements'],
  ['select $1) from u union select (1', 'closes a parenthesis'],
  ['select ($1', 'opens a parenthesis'],
  [`select $1 where name = 'ann`, 'A quote in it is not closed'],
  ['delete from u where id = $1', 'must begin with select'],
  ['', 'must begin with select'],
])('%s is refused: %s', (query, problem) => {
  expect(() => bind(query)).toThrow(problem)
})
