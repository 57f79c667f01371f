import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, noJsx: true, filesTs: ['**/*.cts'], ignores: ['**/dist', 'build', '.tap', 'test/fixtures'] }),
  {
    rules: {
      '@stylistic/max-len': ['error', { code: 100, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true }]
    }
  }
]
