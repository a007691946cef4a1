import { AutoComplete } from 'antd'
import { useState } from 'react'

/** A filter with known words that takes any other; it applies on choice, on Enter and on leaving the field. */
export function WordFilter({ label, value, words, onChange }: {
  label: string
  value: string | undefined
  words: string[]
  onChange: (value: string) => void
}) {
  const [text, setText] = useState(value ?? '')
  const apply = (next: string) => next.trim() !== (value ?? '') && onChange(next.trim())
  return (
    <AutoComplete
      className="filter"
      aria-label={label}
      placeholder={label}
      allowClear
      value={text}
      options={words.map((word) => ({ value: word }))}
      showSearch={{ filterOption: (typed, option) => option?.value.includes(typed.toLowerCase()) ?? false }}
      onChange={setText}
      onSelect={apply}
      onClear={() => apply('')}
      onBlur={() => apply(text)}
      onInputKeyDown={(event) => event.key === 'Enter' && apply(text)}
    />
  )
}
