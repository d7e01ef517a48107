import { defineConfig } from 'vite';

// The page and the service share an origin, as they must for cookies: in
// production a gateway sees to that. The scripts are the development server's
// own, for sign-in without a wallet.
const service = { target: process.env.SESSIOND_URL ?? 'http://127.0.0.1:8080', ws: true };
const proxy = { '/api': service, '^/(device|wallets|eip55|problems)\\.js$': service };

export default defineConfig({
  server: { host: 'localhost', port: 5173, strictPort: true, proxy },
  preview: { host: 'localhost', proxy },
  resolve: { dedupe: ['react', 'react-dom'] }, // the package is linked here, and has a React of its own for its tests
});
