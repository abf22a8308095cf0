-- Replaces a reader's lease by what it loaded.
--
-- KEYS[1]  the key
-- ARGV[1]  the lease, as it was stored
-- ARGV[2]  the value
-- ARGV[3]  its time to live in milliseconds
-- Returns 1 if the value is stored. It is not if the lease is gone, because the
-- value may be older than a change: 0 if the key holds nothing, -1 if it is
-- fenced, -2 if it holds what another reader has put there.
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
if not held then
  return 0
end
if held:sub(1, 1) == 'F' then
  return -1
end
return -2
