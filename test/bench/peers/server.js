// The guide's design on Node, for comparison: look in Redis, else in the database, then
// fill with a time to live; the bytes come from a file. It serves /covers/ID and prints its
// address.
import { readFile } from 'node:fs/promises'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import pg from 'pg'

const ttl = 300
const redis = new Redis(process.env.REDIS_URL)
const database = new pg.Pool({ connectionString: process.env.DATABASE_URL })

const inForce = `SELECT file_path AS "filePath", mime_type AS "mimeType", size, last_modified AS "lastModified", source, tag
  FROM covers WHERE album_id = $1`

async function albumCover(id) {
  const key = `image:album:${id}:cover`
  const cached = await redis.get(key)
  if (cached) return JSON.parse(cached)
  const { rows } = await database.query(inForce, [id])
  if (rows.length === 0) return null
  await redis.setex(key, ttl, JSON.stringify(rows[0]))
  return rows[0]
}

const server = Fastify()

server.get('/covers/:id', async (request, reply) => {
  const image = await albumCover(request.params.id)
  if (!image) return reply.code(404).send()
  const etag = `"${image.tag}"`
  reply.header('ETag', etag).header('Cache-Control', 'no-cache')
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  return reply.type(image.mimeType).send(await readFile(image.filePath))
})

console.log(await server.listen({ host: '127.0.0.1', port: 0 }))
