import { render, screen } from '@testing-library/react'

import { Markdown, withoutFrontMatter } from './markdown'

test('text of strangers can neither run nor phone home', () => {
  const { container } = render(
    <Markdown
      text={[
        '<script>window.hurt = 1</script><img src=x onerror="window.hurt = 1">',
        '[click](javascript:alert(1))',
        '![logo](https://elsewhere.example/pixel.png)',
        '<iframe src="https://elsewhere.example"></iframe>',
      ].join('\n\n')}
    />,
  )
  expect(container.querySelector('script, img, iframe, [onerror]')).toBeNull()
  expect(container.querySelector('a[href^="javascript"]')).toBeNull()
  expect(screen.getByRole('link', { name: '[logo]' })).toHaveAttribute('rel', expect.stringContaining('noopener'))
})

/** Ways in which links, pictures and raw HTML have run scripts or told on readers elsewhere. */
const HOSTILE = [
  '[a](javascript:alert(1))', '[a](JaVaScRiPt:alert(1))', '[a](java\tscript:alert(1))', '[a](&#106;avascript:alert(1))',
  '[a](&#x6A&#x61;vascript:alert(1))', '[a](javascript&colon;alert(1))', '[a]( javascript:alert(1))', '[a](\u0001javascript:alert(1))',
  '[a](vbscript:msgbox(1))', '[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)', '[a](blob:https://hub/1)',
  '[a](file:///etc/passwd)', '<javascript:alert(1)>', '[a][x]\n\n[x]: javascript:alert(1)', '[a](javascript:alert(1) "title")',
  '![a](javascript:alert(1))', '![a](data:image/svg+xml;base64,PHN2Zz4=)', '![a](https://elsewhere.example/pixel.png)',
  '![a](//elsewhere.example/pixel.png)', '![a][x]\n\n[x]: https://elsewhere.example/pixel.png', '![a](/api/v1/auth/logout)',
  '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '<svg onload=alert(1)>', '<svg><script>alert(1)</script></svg>',
  '<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)>', '<iframe srcdoc="<script>alert(1)</script>">',
  '<a href="javascript:alert(1)">a</a>', '<form action="https://elsewhere.example"><input name=password></form>',
  '<base href="https://elsewhere.example/">', '<meta http-equiv=refresh content="0;url=https://elsewhere.example">',
  '<link rel=stylesheet href="https://elsewhere.example/x.css">', '<style>@import "https://elsewhere.example/x.css"</style>',
  '<object data="javascript:alert(1)">', '<embed src="javascript:alert(1)">', '<video><source onerror=alert(1)></video>',
  '<details open ontoggle=alert(1)>', '<p style="background:url(https://elsewhere.example/x)">a</p>', '<!--><img src=x onerror=alert(1)>-->',
  '`<img src=x onerror=alert(1)>`', '```"><img src=x onerror=alert(1)>\ncode\n```', 'a[^x]\n\n[^x]: <img src=x onerror=alert(1)>',
  '| <img src=x onerror=alert(1)> |\n|---|\n| [a](javascript:alert(1)) |', '- [ ] <input autofocus onfocus=alert(1)>',
]

test.each(HOSTILE)('%s is harmless', (text) => {
  const { container } = render(<Markdown text={text} />)
  const inside = container.querySelector('.markdown') as HTMLElement
  expect(inside.querySelector('script, img, iframe, svg:not([data-icon]), form, base, meta, link, style, object, embed, video, math')).toBeNull()
  for (const element of inside.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      expect(name).not.toMatch(/^on|^srcdoc$|^formaction$/)
      if (name === 'href' || name === 'src') expect(new URL(value, 'https://hub/').protocol).toMatch(/^(https?|mailto):$/)
      if (element.closest('.copy') === null) expect(name).not.toBe('style')
    }
  }
  for (const link of inside.querySelectorAll('a[target]')) expect(link).toHaveAttribute('rel', 'noopener noreferrer nofollow')
})

test('names in a text cannot take the place of the page\'s own', () => {
  const { container } = render(<Markdown text={'a[^root]\n\n[^root]: note'} />)
  for (const { id } of container.querySelectorAll('.markdown [id]')) expect(id).toMatch(/^user-content-|^footnote-label$/)
})

test('what Markdown means is drawn', () => {
  render(<Markdown text={'# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nprint(1)\n```'} />)
  expect(screen.getByRole('heading', { name: 'Title' })).toBeInTheDocument()
  expect(screen.getByRole('table')).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Copy' })).toBeInTheDocument()
})

test('front matter is not part of the card', () => {
  expect(withoutFrontMatter('---\nlicense: mit\n---\n# Card')).toBe('# Card')
  expect(withoutFrontMatter('# Card\n---\nrest')).toBe('# Card\n---\nrest')
})
