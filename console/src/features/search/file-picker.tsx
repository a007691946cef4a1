import { Flex, Select, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { bytes } from '@/lib/format'
import type { RemoteModel } from '@/types'

import { picked } from './globs'

interface Props {
  model: RemoteModel
  chosen: ReadonlySet<string>
  /** `globs` are the patterns that chose, when they did. */
  onChoose: (paths: Set<string>, globs?: { include: string[]; exclude: string[] }) => void
}

/** Every file with its size; by hand or by patterns, and what they match shows at once. */
export function FilePicker({ model, chosen, onChoose }: Props) {
  const { t } = useTranslation()
  const [include, setInclude] = useState<string[]>([])
  const [exclude, setExclude] = useState<string[]>([])
  const many = model.files.length > 100
  const apply = (taken: string[], left: string[]) => {
    setInclude(taken)
    setExclude(left)
    onChoose(picked(model.files.map(({ path }) => path), taken, left), { include: taken, exclude: left })
  }
  const patterns = (label: string, value: string[], onChange: (globs: string[]) => void) => (
    <Select
      mode="tags"
      open={false}
      suffixIcon={null}
      className="globs"
      aria-label={label}
      placeholder={label}
      tokenSeparators={[',', ' ']}
      maxCount={200}
      value={value}
      onChange={onChange}
    />
  )
  return (
    <>
      <Flex gap={8} wrap className="filters">
        {patterns(t('search.include'), include, (globs) => apply(globs, exclude))}
        {patterns(t('search.exclude'), exclude, (globs) => apply(include, globs))}
      </Flex>
      <Table
        size="small"
        rowKey="path"
        pagination={false}
        virtual={many}
        scroll={many ? { y: 480, x: 480 } : undefined}
        dataSource={model.files}
        rowSelection={{
          selectedRowKeys: [...chosen],
          onChange: (keys) => onChoose(new Set(keys.map(String))),
          getCheckboxProps: (file) => ({ 'aria-label': file.path }) as object,
        }}
        columns={[
          {
            title: t('model.file'), dataIndex: 'path', className: 'file-path',
            render: (path: string, file) => (
              <>
                {path} {file.here && <Tag color="processing">{t('search.here')}</Tag>}
                {!file.safe && <Tag color="error">{t('search.unsafe')}</Tag>}
              </>
            ),
          },
          { title: t('model.size'), dataIndex: 'size', width: 110, align: 'right', render: (size: number | null) => bytes(size) },
        ]}
      />
    </>
  )
}
