import { Flex, Radio, Tag, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { bytes } from '@/lib/format'
import type { RemoteModel } from '@/types'

type Variant = RemoteModel['variants'][number]

interface Props {
  variants: Variant[]
  chosen: ReadonlySet<string>
  onChoose: (paths: Set<string>) => void
}

/** The ways to have a model, each complete: what it costs, whether it fits, and which one is recommended. */
export function Variants({ variants, chosen, onChoose }: Props) {
  const { t } = useTranslation()
  const current = variants.find(({ files }) => files.length === chosen.size && files.every((path) => chosen.has(path)))
  return (
    <Radio.Group
      className="variants"
      aria-label={t('search.variants')}
      value={current?.name}
      onChange={({ target }) => {
        const variant = variants.find(({ name }) => name === target.value)
        if (variant) onChoose(new Set(variant.files))
      }}
    >
      <Flex vertical gap={10}>
        {variants.map((variant) => (
          <Radio key={variant.name} value={variant.name} disabled={!variant.complete}>
            <Flex gap={8} wrap align="center">
              <Typography.Text strong>{variant.title}</Typography.Text>
              <span>{bytes(variant.size)}</span>
              <Typography.Text type="secondary">{t('search.variantFiles', { count: variant.weights.length })}</Typography.Text>
              <Remarks variant={variant} />
            </Flex>
            {variant.recommended && variant.reason && <Typography.Text type="secondary">{variant.reason}</Typography.Text>}
          </Radio>
        ))}
      </Flex>
    </Radio.Group>
  )
}

function Remarks({ variant }: { variant: Variant }) {
  const { t } = useTranslation()
  const { missing, size } = variant
  return (
    <>
      {variant.recommended && <Tag color="success">{t('search.recommended')}</Tag>}
      {missing === 0 && <Tag color="processing">{t('search.allHere')}</Tag>}
      {Boolean(missing) && missing !== size && <Tag>{t('search.toFetch', { size: bytes(missing) })}</Tag>}
      {variant.fits_memory === false && <Tag color="error">{t('search.noMemory')}</Tag>}
      {variant.fits_memory !== false && variant.fits_free_memory === false && <Tag color="warning">{t('search.noFreeMemory')}</Tag>}
      {variant.fits_disk === false && <Tag color="error">{t('search.noDisk')}</Tag>}
      {!variant.safe && <Tag color="error">{t('search.unsafe')}</Tag>}
      {!variant.complete && <Tag color="warning">{t('search.incomplete')}</Tag>}
    </>
  )
}
