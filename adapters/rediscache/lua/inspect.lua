-- Looks at a key and changes nothing.
--
-- KEYS[1]  the key
-- Returns what it holds, for how many milliseconds it will if nobody changes it
-- (-1: for good), and how many changes are under way: the tokens of its fence that
-- have not expired. Of a key that holds nothing it returns false.
local held = redis.call('GET', KEYS[1])
if not held then
  return false
end
local changes = 0
if held:sub(1, 1) == 'F' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  for until_ms in held:sub(2):gmatch('%w+@(%d+)|') do
    if tonumber(until_ms) > now then
      changes = changes + 1
    end
  end
end
return {held, redis.call('PTTL', KEYS[1]), changes}
