import { App as AntdApp, ConfigProvider } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import { useEffect } from 'react'
import { I18nextProvider } from 'react-i18next'
import { Provider } from 'react-redux'
import { RouterProvider } from 'react-router/dom'
import type { createBrowserRouter } from 'react-router'

import type { AppStore } from '@/app/store'
import { Notifications } from '@/components/notifications'
import i18n from '@/config/i18n'
import { themeOf } from '@/config/theme'
import { usePreferences } from '@/lib/hooks'

type Router = ReturnType<typeof createBrowserRouter>

function Look({ router }: { router: Router }) {
  const { dark, language } = usePreferences()
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  }, [dark])
  useEffect(() => {
    document.documentElement.lang = language
    void i18n.changeLanguage(language)
  }, [language])
  return (
    <ConfigProvider theme={themeOf(dark)} locale={language === 'zh' ? zhCN : enUS}>
      <AntdApp notification={{ placement: 'bottomRight' }}>
        <Notifications />
        <RouterProvider router={router} />
      </AntdApp>
    </ConfigProvider>
  )
}

export function Providers({ store, router }: { store: AppStore; router: Router }) {
  return (
    <Provider store={store}>
      <I18nextProvider i18n={i18n}>
        <Look router={router} />
      </I18nextProvider>
    </Provider>
  )
}
