import { expect, test } from 'vitest'
import { parseProperties } from './properties.ts'

test('separators, comments, blanks and continued lines', () => {
  const content =
    '# a\n! b\n\nx=1\ny: 2\r\nz 3\n  w  =  a b  \nlong = one,\\\n   two\nempty=\nalone'
  expect(parseProperties(content)).toEqual([
    { key: 'x', value: '1', line: 4 },
    { key: 'y', value: '2', line: 5 },
    { key: 'z', value: '3', line: 6 },
    { key: 'w', value: 'a b', line: 7 },
    { key: 'long', value: 'one,two', line: 8 },
    { key: 'empty', value: '', line: 10 },
    { key: 'alone', value: '', line: 11 },
  ])
})

test('escapes', () => {
  expect(parseProperties('a\\=b=\\u0041\\n\\\\x')).toEqual([
    { key: 'a=b', value: 'A\n\\x', line: 1 },
  ])
  expect(parseProperties('listeners=PLAINTEXT://a:1')).toEqual([
    { key: 'listeners', value: 'PLAINTEXT://a:1', line: 1 },
  ])
})
