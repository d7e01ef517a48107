import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'coverage', 'src/openapi.ts', 'test/packed'] },
  ...tseslint.configs.strict,
  { files: ['**/*.{ts,tsx}'], languageOptions: { parserOptions: { projectService: true } }, rules: {
    '@typescript-eslint/no-floating-promises': 'error',
    '@typescript-eslint/no-misused-promises': 'error',
  } },
);
