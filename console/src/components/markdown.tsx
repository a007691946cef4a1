import { memo } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import rehypeSanitize from 'rehype-sanitize'
import remarkGfm from 'remark-gfm'

import { CopyButton } from '@/components/copy-button'

/** Text of the children of a rendered node, for the copy button of code blocks. */
function plain(node: unknown): string {
  if (typeof node === 'string') return node
  if (Array.isArray(node)) return node.map(plain).join('')
  if (typeof node === 'object' && node !== null && 'props' in node) {
    return plain((node as { props: { children?: unknown } }).props.children)
  }
  return ''
}

const components: Components = {
  a: ({ children, href }) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">{children}</a>
  ),
  // A picture from elsewhere would tell its server who reads this card, so it stays a link.
  img: ({ alt, src }) =>
    typeof src === 'string' && /^https?:/.test(src) ? (
      <a href={src} target="_blank" rel="noopener noreferrer nofollow">[{alt || 'image'}]</a>
    ) : (
      <span>{alt}</span>
    ),
  // The boxes of a task list.
  input: ({ checked, type }) => <input type={type} checked={checked} disabled aria-label={checked ? '✓' : '–'} />,
  table: ({ children }) => (
    <div className="table-scroll">
      <table>{children}</table>
    </div>
  ),
  pre: ({ children }) => (
    <div className="code-block">
      <CopyButton text={() => plain(children)} />
      <pre tabIndex={0}>{children}</pre>
    </div>
  ),
}

/** Text of strangers (cards, answers) as Markdown: raw HTML is not interpreted and what remains is sanitized. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className="markdown">
      <ReactMarkdown remarkPlugins={[remarkGfm]} rehypePlugins={[rehypeSanitize]} components={components}>
        {text}
      </ReactMarkdown>
    </div>
  )
})

/** A card without the YAML front matter some sources leave in. */
export const withoutFrontMatter = (text: string) => text.replace(/^---\r?\n[\s\S]*?\r?\n---\r?\n/, '')
