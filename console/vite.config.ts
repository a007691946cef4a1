import { fileURLToPath } from 'node:url'

import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// `npm run dev` talks to a hub that runs elsewhere on this machine.
const hub = process.env.MODELHUB_URL ?? 'http://127.0.0.1:5000'

export default defineConfig({
  base: '/',
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    proxy: { '/api': hub, '/v1': hub, '/socket.io': { target: hub, ws: true } },
  },
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    chunkSizeWarningLimit: 1300,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Left alone, each icon and each small part of antd is a file of its own: fifty requests for the first page.
          groups: [
            { name: 'icons', test: /node_modules\/@ant-design\/icons/ },
            { name: 'shared', test: /node_modules/, minShareCount: 4 },
          ],
        },
      },
    },
  },
  test: {
    environment: 'jsdom',
    globals: true,
    setupFiles: ['src/testing/setup.ts'],
    restoreMocks: true,
    testTimeout: 30_000,
  },
})
