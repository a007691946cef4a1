import { strengthOf } from './strength'

test.each([
  ['abc', 'short'], ['aaaaaaaaaaaa', 'weak'], ['password', 'weak'], ['12345678', 'weak'], ['qwertyuiop', 'weak'], ['Tr0ub4dor', 'fair'],
  ['correct horse battery staple', 'strong'], ['kV9#wz2!Lx', 'good'],
])('%s is %s', (password, strength) => expect(strengthOf(password)).toBe(strength))

test('one\'s own name does not make a password better', () => {
  expect(strengthOf('ada.lovelace1', ['ada.lovelace@example.org'])).toBe('weak')
  expect(strengthOf('ada(+[lovelace', ['(+['])).not.toBe('short')
})
