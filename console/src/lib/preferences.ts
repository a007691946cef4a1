import { createSlice, type PayloadAction } from '@reduxjs/toolkit'

import { type Language, preferredLanguage } from '@/config/i18n'

export interface Preferences {
  dark: boolean
  language: Language
}

const KEY = 'modelhub.preferences'

function stored(): Preferences {
  const ofSystem = {
    dark: window.matchMedia?.('(prefers-color-scheme: dark)').matches ?? false,
    language: preferredLanguage(),
  }
  try {
    return { ...ofSystem, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>) }
  } catch {
    return ofSystem
  }
}

const slice = createSlice({
  name: 'preferences',
  initialState: stored,
  reducers: {
    preferred: (state, action: PayloadAction<Partial<Preferences>>) => ({ ...state, ...action.payload }),
  },
})

export const { preferred } = slice.actions
export const preferencesReducer = slice.reducer

export function storePreferences(preferences: Preferences): void {
  localStorage.setItem(KEY, JSON.stringify(preferences))
}
