import { defineConfig } from 'vitest/config';

// Tests wait for modules that load later: how long that takes depends on the machine.
const later = {
  name: 'later',
  enforce: 'pre' as const,
  transform: (code: string, id: string) => (/\/src\/(lazy|wallets\/\w+)\.ts$/.test(id) ? code.replace(/import\('[^']+'\)/g, '(globalThis.waitedFor ?? ((p) => p))($&)') : undefined),
};

export default defineConfig({
  plugins: [later],
  test: {
    environment: 'happy-dom',
    include: ['test/*.test.{ts,tsx}'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      include: ['src/**/*.{ts,tsx}'],
      exclude: ['src/openapi.ts', 'src/index.ts', 'src/react/index.ts', 'src/wallets/index.ts', 'src/wallets/wallet.ts', 'src/anonymous/index.ts'],
      reporter: ['text'],
      thresholds: { branches: 90 },
    },
  },
});
