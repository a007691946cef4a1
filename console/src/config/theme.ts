import { theme, type ThemeConfig } from 'antd'

const sans =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif'
const mono = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'

/** One accent, quiet surfaces; text keeps at least 4.5:1 against them in both modes. */
export function themeOf(dark: boolean): ThemeConfig {
  return {
    algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      colorPrimary: dark ? '#2aa79b' : '#0f766e',
      colorInfo: dark ? '#2aa79b' : '#0f766e',
      colorLink: dark ? '#4fd1c5' : '#0f766e',
      colorBgLayout: dark ? '#101214' : '#f6f7f7',
      colorBgContainer: dark ? '#181b1e' : '#ffffff',
      colorBgElevated: dark ? '#1f2327' : '#ffffff',
      colorTextDescription: dark ? '#9aa3ab' : '#5c6670',
      borderRadius: 8,
      fontFamily: sans,
      fontFamilyCode: mono,
    },
    components: {
      Layout: {
        headerBg: dark ? '#181b1e' : '#ffffff',
        siderBg: dark ? '#181b1e' : '#ffffff',
        headerHeight: 56,
        headerPadding: '0 16px',
      },
      Menu: { itemBg: 'transparent', subMenuItemBg: 'transparent', activeBarBorderWidth: 0 },
    },
  }
}
