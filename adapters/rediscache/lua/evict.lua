-- Deletes what a key holds, unless it is fenced.
--
-- KEYS[1]  the key
-- Returns 1 if something was deleted, else 0.
--
-- Values and leases may be deleted at any time. A fence belongs to the changes
-- whose tokens are in it, and nobody else may end it.
local held = redis.call('GET', KEYS[1])
if held and held:sub(1, 1) ~= 'F' then
  return redis.call('DEL', KEYS[1])
end
return 0
