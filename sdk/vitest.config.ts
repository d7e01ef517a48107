import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'happy-dom',
    include: ['test/*.test.ts'],
    testTimeout: 20_000,
    coverage: {
      include: ['src/**/*.ts'],
      exclude: ['src/openapi.ts', 'src/index.ts'],
      reporter: ['text'],
      thresholds: { branches: 90 },
    },
  },
});
