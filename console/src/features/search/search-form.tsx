import { Flex, Input, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { WordFilter } from '@/components/word-filter'
import type { Source } from '@/types'

import type { SearchFilters } from './api'
import { LIBRARIES, LICENSES, SORTS, TASKS } from './filters'

interface Props {
  filters: SearchFilters
  sources: Source[]
  onChange: (changes: Partial<SearchFilters>) => void
}

export function SearchForm({ filters, sources, onChange }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState(filters.q ?? '')
  const chosen = sources.find(({ name }) => name === filters.source)
  const narrow = chosen?.searchable ?? true
  const words = (name: 'task' | 'library' | 'license' | 'author', known: string[]) => (
    <WordFilter
      key={`${name} ${filters[name] ?? ''}`}
      label={t(`search.${name}`)}
      value={filters[name]}
      words={known}
      onChange={(value) => onChange({ [name]: value })}
    />
  )
  return (
    <search className="search-form">
      <Flex gap={8} wrap>
        <Select
          className="filter-source"
          aria-label={t('search.source')}
          value={filters.source}
          options={sources.map(({ name, title }) => ({ value: name, label: title }))}
          onChange={(source) => onChange({ source, q: '', author: '', task: '', library: '', license: '', sort: '' })}
          size="large"
        />
        <Input.Search
          className="filter-text"
          aria-label={t('search.text')}
          placeholder={t('search.placeholder')}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onSearch={(q) => onChange({ q: q.trim() })}
          enterButton={t('search.submit')}
          allowClear
          size="large"
        />
      </Flex>
      {narrow && (
        <Flex gap={8} wrap className="filters">
          {words('task', TASKS)}
          {words('library', LIBRARIES)}
          {words('license', LICENSES)}
          {words('author', [])}
          <Select
            className="filter"
            aria-label={t('search.sort')}
            placeholder={t('search.sort')}
            allowClear
            value={filters.sort}
            options={SORTS.map((value) => ({ value, label: t(`search.sorts.${value}`) }))}
            onChange={(sort) => onChange({ sort: sort ?? '' })}
          />
        </Flex>
      )}
    </search>
  )
}
