const manifest = require('pg-sessions/package.json')

test.each(Object.keys(manifest.exports))('%s is loaded', (subpath) => {
  expect(Object.keys(require(`pg-sessions${subpath.slice(1)}`))).not.toEqual([])
})
