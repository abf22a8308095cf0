-- Counts a request in the slot of now, unless the limit is reached.
--   KEYS[1]  what was counted: slot:count,slot:count, the oldest first
--   ARGV[1]  the limit
--   ARGV[2]  how long a slot is, in milliseconds
--   ARGV[3]  how many slots count
-- Returns how many are left, and for how many milliseconds there are none.
local limit, length, slots = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slot = math.floor(now / length)
local counted, used = {}, 0
for s, n in string.gmatch(redis.call('GET', KEYS[1]) or '', '(%d+):(%d+)') do
  if s + slots > slot then
    counted[#counted + 1] = {tonumber(s), tonumber(n)}
    used = used + n
  end
end
if used >= limit then
  local i = 0
  repeat
    i = i + 1
    used = used - counted[i][2]
  until used < limit
  return {0, (counted[i][1] + slots) * length - now}
end
local last = counted[#counted]
if last and last[1] >= slot then -- the clock may have gone back
  last[2] = last[2] + 1
else
  counted[#counted + 1] = {slot, 1}
end
for i, c in ipairs(counted) do
  counted[i] = string.format('%d:%d', c[1], c[2])
end
redis.call('SET', KEYS[1], table.concat(counted, ','), 'PX', slots * length)
return {limit - used - 1, 0}
