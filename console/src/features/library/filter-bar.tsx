import { Flex, Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'

import { KINDS, type ModelFilters, SORTS, VISIBILITIES } from './filters'

interface Props {
  filters: ModelFilters
  onChange: (filters: ModelFilters) => void
  /** The list is of what is shared: whose it is goes without saying. */
  store?: boolean
}

/** Words, then what a list can be narrowed to, then its order. */
export function FilterBar({ filters, onChange, store = false }: Props) {
  const { t } = useTranslation()
  const set = (changes: ModelFilters) => onChange({ ...filters, ...changes })
  return (
    <Flex gap={8} wrap role="search" className="filters">
      <Input.Search
        className="narrow"
        aria-label={t('library.filter')}
        placeholder={t('library.filter')}
        allowClear
        onSearch={(text) => set({ q: text.trim() || undefined })}
      />
      <Select
        aria-label={t('library.kind')}
        placeholder={t('library.kind')}
        allowClear
        value={filters.kind ?? undefined}
        onChange={(kind) => set({ kind })}
        options={KINDS.map((kind) => ({ value: kind, label: t(`kind.${kind}`) }))}
      />
      {!store && (
        <Select
          aria-label={t('library.seenBy')}
          placeholder={t('library.seenBy')}
          allowClear
          value={filters.owner ? 'mine' : (filters.visibility ?? undefined)}
          onChange={(chosen?: (typeof VISIBILITIES)[number] | 'mine') =>
            set({ owner: chosen === 'mine' ? 'me' : undefined, visibility: chosen === 'mine' ? undefined : chosen })}
          options={[
            { value: 'mine' as const, label: t('library.mine') },
            ...VISIBILITIES.map((value) => ({ value, label: t(`sharing.${value}`) })),
          ]}
        />
      )}
      <Input
        className="filter-word"
        aria-label={t('library.tag')}
        placeholder={t('library.tag')}
        allowClear
        defaultValue={filters.tag ?? ''}
        onChange={({ target }) => target.value === '' && set({ tag: undefined })}
        onPressEnter={({ currentTarget }) => set({ tag: currentTarget.value.trim() || undefined })}
      />
      <Input
        className="filter-word"
        aria-label={t('model.quantization')}
        placeholder={t('model.quantization')}
        allowClear
        onChange={({ target }) => target.value === '' && set({ quantization: undefined })}
        onPressEnter={({ currentTarget }) => set({ quantization: currentTarget.value.trim() || undefined })}
      />
      <Select
        aria-label={t('library.sort')}
        value={filters.sort ?? 'created'}
        onChange={(sort) => set({ sort })}
        options={SORTS.map((sort) => ({ value: sort, label: t(`library.sorts.${sort}`) }))}
      />
    </Flex>
  )
}
