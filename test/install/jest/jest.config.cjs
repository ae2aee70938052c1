const testMatch = (extension) => [`<rootDir>/sessions.spec.${extension}`]

/** As the pages of each of them say, with nothing set for this package. */
module.exports = {
  projects: [
    { displayName: 'plain', testEnvironment: 'node', transform: {}, testMatch: testMatch('js') },
    { displayName: 'ts-jest', preset: 'ts-jest', testMatch: testMatch('ts') },
    {
      displayName: '@swc/jest',
      testEnvironment: 'node',
      transform: { '\\.tsx?$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' } } }] },
      testMatch: testMatch('ts'),
    },
  ],
}
