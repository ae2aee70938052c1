const manifest = require('pg-sessions/package.json')

/** They have types only. */
const silent = ['./adapter', './driver']

test.each(Object.keys(manifest.exports))('%s is loaded', (subpath) => {
  const names = Object.keys(require(`pg-sessions${subpath.slice(1)}`))
  if (!silent.includes(subpath)) expect(names).not.toEqual([])
})
