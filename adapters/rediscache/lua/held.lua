-- Tells whether a change's token is still in the fence of a key.
--
-- KEYS[1]  the key
-- ARGV[1]  the token
-- Returns 1 if it is, else 0. Changes nothing.
local held = redis.call('GET', KEYS[1])
if held and held:sub(1, 1) == 'F' and held:find(ARGV[1] .. '@', 2, true) then
  return 1
end
return 0
