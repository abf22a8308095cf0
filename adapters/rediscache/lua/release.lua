-- Gives a reader's lease back, unfilled.
--
-- KEYS[1]  the key
-- ARGV[1]  the lease, as it was stored
-- Returns 1 if it was still there, else 0.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
