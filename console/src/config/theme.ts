import { theme, type ThemeConfig } from 'antd'

const sans =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif'
const mono = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'

/** One accent, quiet surfaces; text keeps at least 4.5:1 against them in both modes. */
export function themeOf(dark: boolean): ThemeConfig {
  return {
    algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
    token: {
      // The dark algorithm dims what it is given, so it is given brighter colours.
      colorPrimary: dark ? '#3fd6c6' : '#0f766e',
      colorInfo: dark ? '#3fd6c6' : '#0f766e',
      ...(dark && { colorSuccess: '#7fdc4f', colorWarning: '#ffc53d', colorError: '#ff7875' }),
      colorLink: dark ? '#4fd1c5' : '#0f766e',
      colorBgLayout: dark ? '#101214' : '#f6f7f7',
      colorBgContainer: dark ? '#181b1e' : '#ffffff',
      colorBgElevated: dark ? '#1f2327' : '#ffffff',
      colorTextDescription: dark ? '#9aa3ab' : '#5c6670',
      // The derived tints of so dark a green are grey; these keep its hue.
      colorPrimaryBg: dark ? '#12302d' : '#e1f2ef',
      colorPrimaryBgHover: dark ? '#184540' : '#cbe8e3',
      colorInfoBg: dark ? '#12302d' : '#e1f2ef',
      colorInfoBorder: dark ? '#1d5a54' : '#a9d8d0',
      colorTextPlaceholder: dark ? '#848d95' : '#69737b',
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
      Button: dark ? { primaryColor: '#04211d' } : {},
      Menu: { itemBg: 'transparent', subMenuItemBg: 'transparent', activeBarBorderWidth: 0 },
    },
  }
}
