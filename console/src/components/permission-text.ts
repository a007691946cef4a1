import { useTranslation } from 'react-i18next'

/** What a permission allows, in the language of the reader; a new one in the hub's own words. */
export function usePermissionText() {
  const { t } = useTranslation()
  return (name: string, description = name) => t(`permission.${name}`, { defaultValue: description })
}
