const manifest = require('pg-sessions/package.json')

/** It has types only. */
const silent = './adapter'

test.each(Object.keys(manifest.exports))('%s is loaded', (subpath) => {
  const names = Object.keys(require(`pg-sessions${subpath.slice(1)}`))
  expect(names.length > 0).toBe(subpath !== silent)
})
