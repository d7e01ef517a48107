import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'happy-dom',
    include: ['test/*.test.{ts,tsx}'],
    testTimeout: 20_000,
    coverage: {
      include: ['src/**/*.{ts,tsx}'],
      exclude: ['src/openapi.ts', 'src/index.ts', 'src/react/index.ts', 'src/anonymous/index.ts'],
      reporter: ['text'],
      thresholds: { branches: 90 },
    },
  },
});
