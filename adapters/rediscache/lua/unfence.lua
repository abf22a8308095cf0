-- Takes a change's token out of the fence of a key.
--
-- KEYS[1]  the key
-- ARGV[1]  the token
-- Returns 1 if the token was in the fence, 0 if it was not: the fence was lost
-- since it was set, and a reader may have stored what it read before the commit.
--
-- The last token takes the key with it, so that the next reader finds nothing
-- and fills. What is left of other changes stays. Where there is no fence,
-- whatever is there is deleted: it may be older than the commit.
local held = redis.call('GET', KEYS[1])
if not held or held:sub(1, 1) ~= 'F' then
  redis.call('DEL', KEYS[1])
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mine, last = 0, 0
local tokens = {}
for token, until_ms in held:sub(2):gmatch('(%w+)@(%d+)|') do
  until_ms = tonumber(until_ms)
  if token == ARGV[1] then
    mine = 1
  elseif until_ms > now then
    tokens[#tokens + 1] = string.format('%s@%.0f|', token, until_ms)
    last = math.max(last, until_ms)
  end
end
if #tokens == 0 then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], 'F' .. table.concat(tokens), 'PXAT', string.format('%.0f', last))
end
return mine
