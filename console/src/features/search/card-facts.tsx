import { Descriptions } from 'antd'
import { useTranslation } from 'react-i18next'

const FACTS = [
  ['license', ['license_name', 'license']], ['baseModel', ['base_model']], ['datasets', ['datasets']], ['languages', ['language']],
] as const

/** What the head of a card says in words of its own, for people. Written by strangers: words only, never links. */
export function CardFacts({ metadata }: { metadata: Record<string, unknown> }) {
  const { t } = useTranslation()
  const items = FACTS.flatMap(([key, names]) => {
    const words = names.map((name) => listed(metadata[name])).find(Boolean)
    return words ? [{ key, label: t(`search.facts.${key}`), children: words }] : []
  })
  return items.length ? <Descriptions size="small" column={1} items={items} className="card-facts" /> : null
}

function listed(value: unknown): string {
  const words = (Array.isArray(value) ? value : [value]).filter((word) => typeof word === 'string' || typeof word === 'number')
  return words.length > 12 ? `${words.slice(0, 12).join(', ')}, …` : words.join(', ')
}
