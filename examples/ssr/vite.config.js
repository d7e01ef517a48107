import { defineConfig } from 'vite';

export default defineConfig({
  build: { outDir: 'dist/client', copyPublicDir: false, rollupOptions: { input: { client: 'src/client.jsx' }, output: { entryFileNames: '[name].js' } } },
  environments: { ssr: { build: { rollupOptions: { input: 'src/server.jsx' } } } },
  ssr: { noExternal: ['@mentalverse/session'] },
  resolve: { dedupe: ['react', 'react-dom'] }, // the package is linked here, and has a React of its own for its tests
});
