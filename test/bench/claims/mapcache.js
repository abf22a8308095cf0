// The design that the guide begins with: image metadata in a map of the process, with a
// timer for each entry. It prints its address and serves, for measurements,
//
//	GET  /image/KEY         what is known of an image: from the map, or else loaded
//	POST /invalidate/KEY    forgets it, as the instance does through which it is changed
//	POST /fill/FROM/TO      asks for so many keys
//	GET  /stats             {"hits": …, "misses": …, "entries": …}
//
// TTL_MS is how long an entry lives; SOURCE, if it is set, a file with the number of the
// version that is in force, which stands for the database.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const ttl = Number(process.env.TTL_MS)
const source = process.env.SOURCE

class ImageService {
  imageCache = new Map()
  hits = 0
  misses = 0

  getImage(key) {
    const cached = this.imageCache.get(key)
    if (cached) {
      this.hits++
      return cached.image
    }
    this.misses++
    const image = load(key)
    this.setCache(key, image)
    return image
  }

  setCache(key, image) {
    this.invalidate(key)
    const timer = setTimeout(() => this.imageCache.delete(key), ttl)
    this.imageCache.set(key, { image, timer })
  }

  invalidate(key) {
    const cached = this.imageCache.get(key)
    if (!cached) return
    clearTimeout(cached.timer)
    this.imageCache.delete(key)
  }
}

function load(key) {
  const version = source ? readFileSync(source, 'utf8') : '1'
  return {
    filePath: `/srv/gatefold/images/${key}.jpg`, mimeType: 'image/jpeg', size: 183412,
    lastModified: new Date(), source: 'external', tag: `${version}-${key}`,
  }
}

const service = new ImageService()

const acts = {
  image: ([key]) => service.getImage(key),
  invalidate: ([key]) => service.invalidate(key),
  fill: ([from, to]) => {
    for (let n = Number(from); n < Number(to); n++) service.getImage(`image:album:${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000:cover`)
  },
  stats: () => ({ hits: service.hits, misses: service.misses, entries: service.imageCache.size }),
}

const server = createServer((request, response) => {
  const [act, ...names] = request.url.slice(1).split('/')
  const answer = acts[act](names)
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(answer ?? {}))
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
