-- Replaces a reader's lease by what it loaded.
--
-- KEYS[1]  the key
-- ARGV[1]  the lease, as it was stored
-- ARGV[2]  the value
-- ARGV[3]  its time to live in milliseconds
-- Returns 1 if the value is stored, 0 if the lease is gone: it expired, or a
-- change has put its fence there, and the value may be older than the change.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return 0
