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
