import { useSearchParams } from 'react-router'

import type { SearchFilters } from './api'

const NAMES = [
  'q', 'author', 'task', 'library', 'license', 'language', 'tags', 'min_parameters', 'max_parameters', 'gated', 'sort',
] as const

/** What takes every filter away. */
export const NO_FILTERS: Partial<SearchFilters> = Object.fromEntries(NAMES.map((name) => [name, '']))

/** The search lives in the address: reloading, going back and sending the link keep it. */
export function useFilters() {
  const [params, setParams] = useSearchParams()
  const filters: SearchFilters = { source: params.get('source') ?? 'huggingface' }
  for (const name of NAMES) {
    const value = params.get(name)
    if (value) filters[name] = value
  }
  const change = (changes: Partial<SearchFilters> & { model?: string }) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      for (const [name, value] of Object.entries(changes)) {
        if (value) next.set(name, value)
        else next.delete(name)
      }
      return next
    })
  return { filters, change, opened: params.get('model') }
}

/** The Hub's most used words; any other may be typed. */
export const TASKS = [
  'text-generation', 'text2text-generation', 'text-classification', 'token-classification', 'question-answering',
  'summarization', 'translation', 'fill-mask', 'feature-extraction', 'sentence-similarity', 'image-text-to-text',
]
export const LIBRARIES = ['transformers', 'gguf', 'peft', 'safetensors', 'sentence-transformers', 'diffusers', 'mlx', 'onnx']
export const LICENSES = ['apache-2.0', 'mit', 'llama3.2', 'llama3.1', 'gemma', 'cc-by-4.0', 'cc-by-nc-4.0', 'openrail', 'other']
export const LANGUAGES = ['en', 'zh', 'de', 'fr', 'es', 'ja', 'ko', 'ru', 'ar', 'hi', 'pt', 'it', 'multilingual']
/** Numbers of parameters between which models are commonly made: from and to, in billions. */
export const SIZES: [number | null, number | null][] = [
  [null, 1], [1, 3], [3, 6], [6, 9], [9, 16], [16, 36], [36, 80], [80, null],
]
export const SORTS = ['trending_score', 'downloads', 'likes', 'last_modified', 'created_at']
