import { Tabs } from 'antd'

import { CopyButton } from './copy-button'

/** Programs to copy, one tab each. */
export function SnippetTabs({ snippets }: { snippets: Record<string, string> }) {
  return (
    <Tabs
      items={Object.entries(snippets).map(([label, text]) => ({
        key: label,
        label,
        children: (
          <div className="code-block">
            <CopyButton text={text} />
            <pre tabIndex={0}>{text}</pre>
          </div>
        ),
      }))}
    />
  )
}
