import { readdirSync } from 'node:fs'

import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

const features = readdirSync(new URL('./src/features', import.meta.url))

/** One block of files and what it may not import: the direction of arrows, app -> features -> components -> lib. */
const law = (files, regexes, message) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: regexes.map((regex) => ({ regex, message })) }],
  },
})

export default tseslint.config(
  { ignores: ['dist', 'src/types/api.ts'] },
  ...tseslint.configs.strict,
  reactHooks.configs.flat.recommended,
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
      // RTK Query says `void` for an endpoint without an argument.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
    },
  },
  ...features.map((feature) =>
    law(
      [`src/features/${feature}/**`],
      [`^@/features/(?!${feature}(/|$))`, '^@/app', '^\\.\\./\\.\\.'],
      'A feature imports itself, components and lib; a route in app/ puts features together.',
    ),
  ),
  law(['src/components/**'], ['^@/(features|app)', '^\\.\\./'], 'Components know no feature.'),
  law(['src/lib/**/!(*.test).ts', 'src/config/**'], ['^@/(features|app|components)', '^\\.\\./'], 'lib and config know nobody above them.'),
)
