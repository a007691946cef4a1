import '@testing-library/jest-dom/vitest'

import '@/config/i18n'

import { cleanup, configure } from '@testing-library/react'
import { afterEach, beforeEach } from 'vitest'

// Pages are loaded when they are first needed, which takes a busy machine a while.
configure({ asyncUtilTimeout: 15_000 })

// What jsdom lacks and antd asks for.
window.matchMedia = (query) =>
  ({
    matches: query.includes('min-width'),
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    addListener: () => undefined,
    removeListener: () => undefined,
  }) as unknown as MediaQueryList
globalThis.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
}
Element.prototype.scrollTo = () => undefined

beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
})
afterEach(cleanup)
