import { join } from 'node:path'
import { defineConfig } from 'vite'

/** Where `npm start` has its api; `vite dev` passes on to it what is none of its own. */
const API = 'http://127.0.0.1:8080'

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: join(import.meta.dirname, '../../build/web'),
    emptyOutDir: true,
    target: 'es2023',
    // What is inlined would need an exception of the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: { proxy: { '/api': { target: API, ws: true } } },
})
